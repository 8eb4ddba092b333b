import { expect, test } from "vitest";
import { changesOf } from "./compare";
import type { Pipeline } from "./pipeline";

const FIRST: Pipeline = {
  name: "One",
  nodes: [
    { id: "a", component: "dataset", params: { path: "x" }, position: [0, 0] },
    { id: "b", component: "train", params: { epochs: 3 }, title: "Train" },
    { id: "c", component: "score" },
  ],
  edges: [
    { from: "a.data", to: "b.training" },
    { from: "b.model", to: "c.model" },
  ],
};

test("nodes, values and wires that differ are named, each with both values", () => {
  const second: Pipeline = {
    name: "One",
    nodes: [
      { id: "a", component: "dataset", params: { path: "x" }, position: [500, 9] },
      { id: "b", component: "train", params: { epochs: 5, seed: 1 }, title: "Train" },
      { id: "d", component: "evaluate" },
    ],
    edges: [{ from: "a.data", to: "b.training" }],
  };
  expect(changesOf(FIRST, second)).toEqual([
    { kind: "value", node: "b", name: "epochs", left: 3, right: 5 },
    { kind: "value", node: "b", name: "seed", left: undefined, right: 1 },
    { kind: "node", node: "c", name: "", left: "score", right: undefined },
    { kind: "node", node: "d", name: "", left: undefined, right: "evaluate" },
    { kind: "wire", node: "b.model", name: "c.model", left: true, right: undefined },
  ]);
});

test("a drawing in which nodes were only moved is the same", () => {
  const moved = {
    ...FIRST,
    nodes: FIRST.nodes.map((node) => ({ ...node, position: [7, 7] as const })),
  };
  expect(changesOf(FIRST, moved)).toEqual([]);
});
