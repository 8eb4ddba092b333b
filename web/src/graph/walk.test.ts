import { expect, test } from "vitest";
import { seedPipeline } from "./testing/seed";
import { nearest } from "./walk";

const seed = seedPipeline();

test("arrows walk to the node that lies that way, not to a nearer one aside", () => {
  expect(nearest(seed, "dataset", [0, 1])).toBe("convert");
  expect(nearest(seed, "apply_validation", [1, 0])).toBe("apply_test");
  expect(nearest(seed, "apply_validation", [-1, 0])).toBe("apply_training");
  expect(nearest(seed, "evaluate", [0, 1])).toBeNull();
});

test("without a start the walk begins at the first node", () => {
  expect(nearest(seed, null, [0, 1])).toBe("dataset");
  expect(nearest({ ...seed, nodes: [] }, null, [0, 1])).toBeNull();
});
