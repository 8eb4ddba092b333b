import { expect, test } from "vitest";
import { applySteps, type Command } from "./change";
import { connect, insertNew, reconnect } from "./edgeCommands";
import { removeNodes } from "./nodeCommands";
import { edgesOf, endOf, type Pipeline } from "./pipeline";
import { seedPipeline } from "./testing/seed";

const LABEL = { key: "command.test" };

function after(pipeline: Pipeline, command: Command | null): Pipeline {
  if (!command) throw new Error("There is no command.");
  return applySteps(pipeline, command.steps);
}

function into(pipeline: Pipeline, end: string): string[] {
  return edgesOf(pipeline)
    .filter((edge) => edge.to === end)
    .map((edge) => edge.from);
}

test("an input that is taken lets its old edge go", () => {
  const edge = [endOf("split.first"), endOf("apply_test.images")] as const;
  expect(into(seedPipeline(), "apply_test.images")).toEqual(["split.second"]);
  const drawn = after(seedPipeline(), connect(seedPipeline(), ...edge, LABEL));
  expect(into(drawn, "apply_test.images")).toEqual(["split.first"]);
});

test("a node on an edge takes both of its ends", () => {
  const wanted = { component: "split_image_directory", position: [0, 0] as const, name: "Split" };
  const ports = { input: "images", output: "first" };
  const edge = "convert.images>split.images";
  const drawn = after(seedPipeline(), insertNew(seedPipeline(), edge, wanted, ports, LABEL));
  expect(into(drawn, "split_image_directory.images")).toEqual(["convert.images"]);
  expect(into(drawn, "split.images")).toEqual(["split_image_directory.first"]);
});

test("removing with a bridge joins what was before and after", () => {
  const types = () => "ImageDirectory";
  const drawn = after(seedPipeline(), removeNodes(seedPipeline(), ["split_again"], LABEL, types));
  expect(into(drawn, "apply_training.images")).toEqual(["split.first"]);
  expect(into(drawn, "apply_validation.images")).toEqual(["split.first"]);
});

test("removing without a bridge leaves inputs open", () => {
  const drawn = after(seedPipeline(), removeNodes(seedPipeline(), ["split_again"], LABEL));
  expect(into(drawn, "apply_training.images")).toEqual([]);
});

test("an edge that is moved keeps the keys that we do not know", () => {
  const start = { ...seedPipeline(), edges: [{ from: "a.out", to: "b.in", note: "kept" }] };
  const drawn = after(start, reconnect(start, "a.out>b.in", endOf("a.out"), endOf("c.in"), LABEL));
  expect(drawn.edges).toEqual([{ from: "a.out", to: "c.in", note: "kept" }]);
});
