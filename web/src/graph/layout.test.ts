import { expect, test } from "vitest";
import { NODE_SIZE, tidied } from "./layout";
import { edgesOf, endOf } from "./pipeline";
import { seedPipeline } from "./testing/seed";

const seed = seedPipeline();

test("every edge leads downwards and no two nodes overlap", () => {
  const places = tidied(seed, new Map());
  expect(places.size).toBe(seed.nodes.length);
  const y = (end: string) => places.get(endOf(end).node)?.[1] ?? Number.NaN;
  for (const edge of edgesOf(seed)) expect(y(edge.from)).toBeLessThan(y(edge.to));
  const all = [...places.values()];
  for (const [at, [x, top]] of all.entries()) {
    for (const [otherX, otherTop] of all.slice(at + 1)) {
      const isApart =
        Math.abs(x - otherX) >= NODE_SIZE.width || Math.abs(top - otherTop) >= NODE_SIZE.height;
      expect(isApart).toBe(true);
    }
  }
});

test("a selection stays around its own corner, and nothing else moves", () => {
  const places = tidied(seed, new Map(), new Set(["train", "score", "evaluate"]));
  expect([...places.keys()]).toEqual(["train", "score", "evaluate"]);
  expect(Math.min(...[...places.values()].map(([x]) => x))).toBe(120);
  expect(Math.min(...[...places.values()].map(([, top]) => top))).toBe(544);
});
