import { expect, test } from "vitest";
import { HALF, HIGH, heightAfter, LOW, nextHeight, settled } from "./sheet";

test("a sheet follows the hand, but not out of the window", () => {
  expect(heightAfter(HALF, 5)).toBe(45);
  expect(heightAfter(HALF, 500)).toBe(HIGH);
  expect(heightAfter(HALF, -500)).toBe(LOW);
});

test.each([
  [10, LOW],
  [30, HALF],
  [58, HALF],
  [62, HIGH],
])("let go at %i it rests at %i", (height, rest) => {
  expect(settled(height)).toBe(rest);
});

test("presses lead through all heights", () => {
  expect(nextHeight(LOW)).toBe(HALF);
  expect(nextHeight(HALF)).toBe(HIGH);
  expect(nextHeight(HIGH)).toBe(HALF);
});
