import { expect, test } from "vitest";
import { arranged } from "./arrange";
import { perform, undo } from "./history";
import { moveNodes } from "./nodeCommands";
import { EMPTY, type Pipeline, type Position } from "./pipeline";

const PLACES: Record<string, Position> = { a: [100, 40], b: [460, 10], c: [20, 300], d: [37, 9] };
const PIPELINE: Pipeline = {
  ...EMPTY,
  nodes: Object.entries(PLACES).map(([id, position]) => ({ id, component: "toy", position })),
};
const SIZES = new Map([
  ["a", { width: 100, height: 50 }],
  ["b", { width: 200, height: 70 }],
  ["c", { width: 60, height: 80 }],
]);
const ids = ["a", "b", "c"];

function placesAfter(how: "alignLeft" | "alignTop" | "spreadAcross" | "spreadDown") {
  return Object.fromEntries(arranged(PIPELINE, ids, SIZES, how));
}

test("in line at the left or the top, each keeps its other coordinate", () => {
  expect(placesAfter("alignLeft")).toEqual({ a: [20, 40], b: [20, 10], c: [20, 300] });
  expect(placesAfter("alignTop")).toEqual({ a: [100, 10], b: [460, 10], c: [20, 10] });
});

test("across, the gaps are equal and the outermost stay", () => {
  // From left to right c, a, b: 460 - 20 - 60 - 100 leaves 280 for two gaps.
  expect(placesAfter("spreadAcross")).toEqual({ c: [20, 300], a: [220, 40], b: [460, 10] });
});

test("down, the gaps are equal and the outermost stay", () => {
  // From top to bottom b, a, c: 300 - 10 - 70 - 50 leaves 170 for two gaps.
  expect(placesAfter("spreadDown")).toEqual({ b: [460, 10], a: [100, 165], c: [20, 300] });
});

test("nodes that lie too close for a gap overlap equally", () => {
  const close: Pipeline = {
    ...EMPTY,
    nodes: [0, 10, 100].map((x) => ({ id: `n${x}`, component: "toy", position: [x, 0] })),
  };
  const places = arranged(close, ["n0", "n10", "n100"], new Map(), "spreadAcross");
  expect([...places.values()].map(([x]) => x)).toEqual([0, 50, 100]);
});

test("two nodes stay at their distance, and nothing is moved that is not there", () => {
  const places = arranged(PIPELINE, ["a", "b", "gone"], SIZES, "spreadAcross");
  expect(Object.fromEntries(places)).toEqual({ a: [100, 40], b: [460, 10] });
  expect(moveNodes(PIPELINE, places, { key: "command.test" })).toBeNull();
});

test("it is one command, and undone as one", () => {
  const command = moveNodes(PIPELINE, arranged(PIPELINE, ids, SIZES, "alignLeft"), {
    key: "command.x",
  });
  if (!command) throw new Error("Nothing moved.");
  const start = { pipeline: PIPELINE, history: { past: [], future: [] } };
  const drawing = perform(start, command);
  expect(drawing.history.past).toHaveLength(1);
  expect(drawing.pipeline.nodes[3]).toBe(PIPELINE.nodes[3]);
  expect(undo(drawing).pipeline).toEqual(PIPELINE);
});
