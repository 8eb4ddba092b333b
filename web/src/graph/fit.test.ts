import { expect, test } from "vitest";
import { between, fitting, partners, whyNot } from "./fit";
import { endOf, type Pipeline } from "./pipeline";
import { seedPipeline, toyCatalogue } from "./testing/seed";

const catalogue = toyCatalogue();

function why(from: string, to: string, pipeline: Pipeline = seedPipeline()) {
  return whyNot(pipeline, catalogue, endOf(from), endOf(to));
}

test("an output fits an input of its type", () => {
  expect(why("split.first", "train.training")).toBeNull();
});

test("ports of other types do not, and both are named", () => {
  expect(why("convert.images", "train.model")).toEqual({
    key: "fit.types",
    values: {
      output: "images",
      outputType: "image directory",
      input: "model",
      inputType: "untrainedmodeldirectory",
    },
  });
});

test("a ring is refused", () => {
  expect(why("split_again.first", "split.images")?.key).toBe("fit.cycle");
});

test("a node is not joined to itself, nor twice to one other", () => {
  expect(why("split.first", "split.images")?.key).toBe("fit.itself");
  expect(why("convert.images", "split.images")?.key).toBe("fit.there");
});

test("an output that a parameter gives is there only with it", () => {
  expect(why("split.third", "train.training")).toEqual({
    key: "fit.notGiven",
    values: { output: "third", parameter: "Third fraction" },
  });
  const seed = seedPipeline();
  const nodes = seed.nodes.map((node) =>
    node.id === "split" ? { ...node, params: { third_fraction: 0.1 } } : node,
  );
  expect(why("split.third", "train.training", { ...seed, nodes })).toBeNull();
});

test("a wire into empty space offers what fits, by the port that fits", () => {
  const found = fitting(catalogue, "ImageDirectory", "inputs");
  expect(found.map((one) => [one.component.name, one.port.name])).toEqual([
    ["split_image_directory", "images"],
    ["train_pytorch_model", "training"],
  ]);
});

test("the list for the keyboard holds what the mouse may join, free inputs first", () => {
  const seed = seedPipeline();
  const edges = seed.edges?.filter((edge) => edge.to !== "train.validation") ?? [];
  const found = partners({ ...seed, edges }, catalogue, endOf("split.first"), "output");
  expect(found.map((one) => `${one.end.node}.${one.end.port} ${one.isTaken}`)).toEqual([
    "train.validation false",
    "train.training true",
  ]);
});

test("only what takes and gives the type can stand in an edge", () => {
  const [split, train] = ["split_image_directory", "train_pytorch_model"].map((name) =>
    catalogue.components.get(name),
  );
  expect(split && between(split, "ImageDirectory")).toEqual({ input: "images", output: "first" });
  expect(train && between(train, "ImageDirectory")).toBeNull();
});
