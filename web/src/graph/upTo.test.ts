import { expect, test } from "vitest";
import { upTo } from "./upTo";

const node = (id: string) => ({ id, component: "toy", x_note: id });
const PIPELINE = {
  name: "Two ends",
  x_kept: 1,
  nodes: ["a", "b", "c", "other", "after"].map(node),
  edges: [
    { from: "a.out", to: "b.in" },
    { from: "b.out", to: "c.in" },
    { from: "a.out", to: "other.in" },
    { from: "c.out", to: "after.in", x_weight: 2 },
  ],
};

test("a result comes with what it depends on, and with nothing else", () => {
  const found = upTo(PIPELINE, "c");
  expect(found.nodes).toEqual(["a", "b", "c"].map(node));
  expect(found.edges).toEqual(PIPELINE.edges.slice(0, 2));
  expect(found.x_kept).toBe(1);
});

test("what depends on nothing comes alone", () => {
  expect(upTo(PIPELINE, "a")).toMatchObject({ nodes: [node("a")], edges: [] });
});
