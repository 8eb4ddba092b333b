import { expect, test } from "vitest";
import { atThreshold, curveOf, meansAt, placeOf } from "./atThreshold";

const ANT = { label: "ant", support: 4, found: [4, 3, 0], reached: [10, 4, 0] };
const BEE = { label: "bee", support: 6, found: [6, 3, 1], reached: [10, 6, 1] };
const NONE = { label: "cat", support: 0, found: [0, 0, 0], reached: [10, 2, 0] };
const GRID = [0, 0.5, 1];

test("precision and recall are the quotients of what was counted", () => {
  expect(atThreshold(ANT, 1)).toEqual({
    label: "ant",
    support: 4,
    reached: 4,
    precision: 0.75,
    recall: 0.75,
    f1: 0.75,
  });
  expect(atThreshold(BEE, 1).f1).toBeCloseTo((2 * 0.5 * 0.5) / (0.5 + 0.5));
});

test("what nothing reaches has no precision, and a class without pictures no recall", () => {
  expect(atThreshold(ANT, 2)).toMatchObject({ precision: null, recall: 0, f1: 0 });
  expect(atThreshold(NONE, 1)).toMatchObject({ precision: 0, recall: null });
  expect(atThreshold(NONE, 2).f1).toBeNull();
});

test("the mean leaves out classes without pictures", () => {
  const found = { images: 10, thresholds: GRID, classes: [ANT, BEE, NONE] };
  expect(meansAt(found, 1)).toEqual({ precision: 0.625, recall: 0.625 });
  expect(meansAt({ images: 0, thresholds: GRID, classes: [] }, 1)).toEqual({
    precision: 0,
    recall: 0,
  });
});

test("a threshold between two counts as the lower one", () => {
  expect([0, 0.49, 0.5, 0.99, 1].map((one) => placeOf(GRID, one))).toEqual([0, 0, 1, 1, 2]);
  const cents = Array.from({ length: 101 }, (_, at) => at / 100);
  expect(cents.map((one) => placeOf(cents, one))).toEqual(cents.map((_, at) => at));
});

test("the curve leaves out places without a value", () => {
  expect(curveOf(ANT, GRID, "precision")).toBe("0.0,60.0 50.0,25.0");
  expect(curveOf(ANT, GRID, "recall")).toBe("0.0,0.0 50.0,25.0 100.0,100.0");
});
