import { expect, test } from "vitest";
import {
  correct,
  MOST_CORRECTIONS,
  NO_CORRECTIONS,
  redo,
  takeBack,
  undo,
  withoutStrokes,
} from "./corrections";

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

test("what is kept to undo are strokes, bounded together, and the last one always", () => {
  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, number) => picture(String(from + number)));
  let history = NO_CORRECTIONS;
  for (let number = 0; number < 150; number += 1) history = correct(history, many(1, number), null);
  expect([Object.keys(history.now).length, history.past.length]).toEqual([150, 100]);
  history = correct(history, many(9_950), "bees");
  // 9,950 changes and 50 strokes of one picture each are 10,000.
  expect(history.past.map((one) => one.length)).toEqual([...Array(50).fill(1), 9_950]);
  history = takeBack(history, Object.keys(history.now));
  expect(history.past.map((one) => one.length)).toEqual([9_950]);
  history = correct(undo(history), many(10_001, 20_000), null);
  expect(history.past.map((one) => one.length)).toEqual([10_001]);
  expect(Object.keys(undo(history).now).length).toBe(9_950);
});

test("a history of full size has room in what a browser keeps for a page", () => {
  const all = Array.from({ length: MOST_CORRECTIONS }, (_, number) => ({
    ...picture("1"),
    file: `photos of a long folder name/and another/${String(number).padStart(12, "0")}.jpeg`,
  }));
  const history = correct(correct(NO_CORRECTIONS, all, "a class"), all, null);
  expect(JSON.stringify(history).length).toBeLessThan(10 * 1024 ** 2);
  expect(JSON.stringify(withoutStrokes(history)).length).toBeLessThan(3 * 1024 ** 2);
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
