import { expect, test } from "vitest";
import { choose, NOTHING, placeAfter, type Selection } from "./selection";

const chosen = (selection: Selection) => [...selection.chosen].sort((a, b) => a - b);

test("a range goes from where it began to where one is, either way", () => {
  const begun = choose(NOTHING, 5, "alone", 100);
  expect(chosen(choose(begun, 8, "range", 100))).toEqual([5, 6, 7, 8]);
  const back = choose(choose(begun, 8, "range", 100), 3, "range", 100);
  expect(chosen(back)).toEqual([3, 4, 5]);
  expect(back.anchor).toBe(5);
});

test("a range has a limit, and keeps its beginning", () => {
  const begun = choose(NOTHING, 50, "alone", 4);
  expect(chosen(choose(begun, 99, "range", 4))).toEqual([50, 51, 52, 53]);
  expect(chosen(choose(begun, 0, "range", 4))).toEqual([47, 48, 49, 50]);
});

test("toggling adds one and takes it away again", () => {
  const two = choose(choose(NOTHING, 1, "alone", 9), 4, "toggle", 9);
  expect(chosen(two)).toEqual([1, 4]);
  expect(chosen(choose(two, 1, "toggle", 9))).toEqual([4]);
  expect(chosen(choose(two, 7, "toggle", 2))).toEqual([1, 4]);
});

test("keys walk by pictures, rows and screens and stay inside", () => {
  const grid = { columns: 4, rows: 3, total: 10 };
  expect(placeAfter("ArrowRight", -1, grid)).toBe(0);
  expect(placeAfter("ArrowDown", 1, grid)).toBe(5);
  expect(placeAfter("ArrowDown", 8, grid)).toBe(8);
  expect(placeAfter("ArrowLeft", 0, grid)).toBe(0);
  expect(placeAfter("PageDown", 1, grid)).toBe(9);
  expect(placeAfter("PageUp", 9, grid)).toBe(0);
  expect(placeAfter("End", 3, grid)).toBe(9);
  expect(placeAfter("Home", 3, grid)).toBe(0);
  expect(placeAfter("x", 3, grid)).toBeNull();
});
