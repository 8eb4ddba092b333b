/** The seed's pipeline and toy components, for tests of the graph. */
import { readFileSync } from "node:fs";
import {
  type Catalogue,
  type Component,
  catalogueOf,
  type Parameter,
  type Port,
} from "../catalogue";
import type { Pipeline } from "../pipeline";

export function seedPipeline(): Pipeline {
  const file = new URL("../../../../examples/seed.json", import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"));
}

export const PART: Parameter = {
  name: "third_fraction",
  title: "Third fraction",
  kind: "float",
  default: null,
  optional: true,
  choices: [],
  words: [],
  minimum: 0,
  maximum: 1,
  exclusive: ["minimum", "maximum"],
  range_text: "> 0 and < 1",
  unit: "",
  help: "",
  section: "",
  shown_when: null,
};

function port(name: string, type: string, given_by = ""): Port {
  return { name, type, title: name, help: "", optional: false, given_by };
}

function toy(
  name: string,
  inputs: Port[],
  outputs: Port[],
  parameters: Parameter[] = [],
): Component {
  const facts = { title: name, help: "", category: "Toys", version: 1, demand: "light" };
  return { name, ...facts, inputs, outputs, parameters, run_settings: [] };
}

/** Components with the ports of those that the seed's pipeline names. */
export function toyCatalogue(): Catalogue {
  const images = "ImageDirectory";
  return catalogueOf(
    [
      toy("dataset", [], [port("dataset", "AnyDirectory")]),
      toy(
        "convert_to_image_directory",
        [port("dataset", "AnyDirectory")],
        [port("images", images)],
      ),
      toy(
        "split_image_directory",
        [port("images", images)],
        [port("first", images), port("second", images), port("third", images, "third_fraction")],
        [PART],
      ),
      toy("densenet", [], [port("model", "UntrainedModelDirectory")]),
      toy(
        "train_pytorch_model",
        [
          port("model", "UntrainedModelDirectory"),
          port("training", images),
          port("validation", images),
        ],
        [port("model", "ModelDirectory")],
      ),
    ],
    [
      { name: images, title: "Image directory", help: "", colour: "#2f6fb5" },
      { name: "ModelDirectory", title: "Model directory", help: "", colour: "#b3472d" },
    ],
  );
}
