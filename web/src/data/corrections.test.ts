import { expect, test } from "vitest";
import { correct, NO_CORRECTIONS, redo, takeBack, undo } from "./corrections";

const picture = (file: string, label: string | null = "ants") => ({
  file,
  label,
  sha256: "ab".repeat(32),
  row: Number(file),
});
const toOf = (history: typeof NO_CORRECTIONS) =>
  Object.fromEntries(Object.values(history.now).map(({ file, to }) => [file, to]));

test("a later correction of a picture takes the place of an earlier one", () => {
  const first = correct(NO_CORRECTIONS, [picture("1"), picture("2")], null);
  const second = correct(first, [picture("2")], "bees");
  expect(toOf(first)).toEqual({ 1: null, 2: null });
  expect(toOf(second)).toEqual({ 1: null, 2: "bees" });
});

test("the class that a picture has is no correction", () => {
  const moved = correct(NO_CORRECTIONS, [picture("1")], "bees");
  expect(toOf(correct(moved, [picture("1")], "ants"))).toEqual({});
});

test("each step is undone and done again, and a new one forgets what was undone", () => {
  const one = correct(NO_CORRECTIONS, [picture("1")], null);
  const two = takeBack(correct(one, [picture("2")], "bees"), ["1"]);
  expect(toOf(two)).toEqual({ 2: "bees" });
  const back = undo(undo(two));
  expect(back.now).toEqual(one.now);
  expect(redo(redo(back)).now).toEqual(two.now);
  const other = correct(back, [picture("3")], null);
  expect(redo(other)).toEqual(other);
});

test("what changes nothing is no step", () => {
  const one = correct(NO_CORRECTIONS, [picture("1")], null);
  expect(correct(one, [picture("1")], null)).toBe(one);
  expect(undo(NO_CORRECTIONS)).toEqual(NO_CORRECTIONS);
});

test("a picture without a class may get one, or be left out", () => {
  expect(toOf(correct(NO_CORRECTIONS, [picture("1", null)], "bees"))).toEqual({ 1: "bees" });
  expect(toOf(correct(NO_CORRECTIONS, [picture("1", null)], null))).toEqual({ 1: null });
});
