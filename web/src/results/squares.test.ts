import { expect, test } from "vitest";
import { type Evaluation, evaluationOf } from "./evaluation";
import { partAround, pixelsOf, squaresOf } from "./squares";

function made(num: number, cells: Record<string, Record<string, number>>): Evaluation {
  const classes = Array.from({ length: num }, (_, at) => `c${at}`);
  return evaluationOf({ classes, confusion_matrix: cells });
}

test("a single mistake among a million cells is on the map", () => {
  const cells = Object.fromEntries(
    Array.from({ length: 1000 }, (_, at) => [`c${at}`, { [`c${at}`]: 50 }]),
  );
  cells.c999 = { c999: 49, c0: 1 };
  const squares = squaresOf(made(1000, cells), 250);
  expect(squares.size).toBe(250);
  expect(squares.wrong[249 * 250]).toBeCloseTo(0.02);
  expect(squares.wrong.filter((one) => one > 0)).toHaveLength(1);
  expect(squares.right.filter((one) => one > 0)).toHaveLength(250); // the diagonal
});

test("a small matrix has a square for each cell, with the share of its row", () => {
  const squares = squaresOf(made(2, { c0: { c0: 3, c1: 1 }, c1: { c1: 2 } }), 250);
  expect([...squares.right]).toEqual([0.75, 0, 0, 1]);
  expect([...squares.wrong]).toEqual([0, 0.25, 0, 0]);
});

test("the part that is shown lies inside the matrix", () => {
  expect(partAround(500, 0, 1000, 30)).toEqual({ row: 485, column: 0 });
  expect(partAround(999, 990, 1000, 30)).toEqual({ row: 970, column: 970 });
  expect(partAround(3, 3, 10, 30)).toEqual({ row: 0, column: 0 });
});

test("what is empty has the colour of paper, and what is wrong is redder than what is right", () => {
  const pixels = pixelsOf(squaresOf(made(2, { c0: { c1: 1 }, c1: { c1: 1 } }), 9), false);
  expect([...pixels.slice(0, 4)]).toEqual([255, 255, 255, 255]);
  const [red = 0, green = 0] = pixels.slice(4, 6);
  expect(red).toBeGreaterThan(green);
  const [right = 0, most = 0] = pixels.slice(12, 14);
  expect(most).toBeGreaterThan(right);
});
