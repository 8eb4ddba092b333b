import { expect, test } from "vitest";
import { applySteps } from "./change";
import { copied, fragmentOf, fragmentText, paste } from "./clipboard";
import { edgesOf } from "./pipeline";
import { seedPipeline } from "./testing/seed";

const LABEL = { key: "command.test" };
const seed = seedPipeline();
const both = fragmentText(copied(seed, new Set(["split_again", "apply_training"])));

function pasted(text: string, keepsLinks: boolean) {
  const fragment = fragmentOf(text);
  if (!fragment) throw new Error("The text holds no nodes.");
  const { command, ids } = paste(seed, fragment, [1000, 50], LABEL, keepsLinks);
  if (!command) throw new Error("There is no command.");
  const drawn = applySteps(seed, command.steps);
  return { ids, drawn, added: edgesOf(drawn).slice(edgesOf(seed).length) };
}

test("edges between the copied come with them", () => {
  const { ids, added } = pasted(both, false);
  expect(ids).toEqual(["split_again_2", "apply_training_2"]);
  expect(added).toEqual([{ from: "split_again_2.first", to: "apply_training_2.images" }]);
});

test("with links, edges from the others are drawn anew", () => {
  const { added } = pasted(both, true);
  expect(added.map((edge) => `${edge.from} ${edge.to}`)).toEqual([
    "split_again_2.first apply_training_2.images",
    "split.first split_again_2.images",
    "transformation.transformation apply_training_2.transformation",
  ]);
});

test("what is pasted lies where it was asked for, in the same order to each other", () => {
  const { drawn } = pasted(both, false);
  const [split, apply] = drawn.nodes.slice(-2);
  expect(split?.position).toEqual([1120, 50]);
  expect(apply?.position).toEqual([1000, 170]);
});

test("a whole pipeline file can be pasted", () => {
  expect(pasted(JSON.stringify(seed), false).ids).toHaveLength(seed.nodes.length);
});

test.each(["", "some words", "[1]", "null", '{"kind":"pipeline","nodes":[{"id":1}]}'])(
  "%j is not taken for nodes",
  (text) => {
    expect(fragmentOf(text)).toBeNull();
  },
);
