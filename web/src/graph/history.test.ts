import { expect, test } from "vitest";
import { type Drawing, NO_HISTORY, perform, redo, undo } from "./history";
import { addNode, moveNodes, setValue } from "./nodeCommands";
import { EMPTY, findNode, type Pipeline } from "./pipeline";
import { Chance } from "./testing/random";
import { randomCommand } from "./testing/randomCommands";
import { seedPipeline } from "./testing/seed";

const LABEL = { key: "command.test" };

function drawn(pipeline: Pipeline): Drawing {
  return { pipeline, history: NO_HISTORY };
}

/** Text tells more than equality: it has the order of nodes, edges and keys. */
function text(pipeline: Pipeline): string {
  return JSON.stringify(pipeline);
}

test("10,000 commands: undo all gives the start, redo all the end, a reload the same graph", () => {
  const chance = new Chance(20_261_126);
  const start = { ...seedPipeline(), unknown_key: { kept: [1, null] } };
  let drawing = drawn(start);
  let number = 0;
  const kinds = new Set<string>();
  while (number < 10_000) {
    const command = randomCommand(drawing.pipeline, chance);
    if (!command) continue;
    drawing = perform(drawing, command, Number.POSITIVE_INFINITY);
    for (const step of command.steps) kinds.add(`${step.at} ${!step.before} ${!step.after}`);
    number += 1;
  }
  const end = drawing.pipeline;
  const length = drawing.history.past.length;
  expect(kinds.size).toBeGreaterThanOrEqual(7);

  const reloaded: Drawing = JSON.parse(JSON.stringify(drawing));
  expect(text(reloaded.pipeline)).toBe(text(end));

  let back = reloaded;
  while (back.history.past.length > 0) back = undo(back);
  expect(back.pipeline).toEqual(start);
  expect(back.pipeline.nodes.map((node) => node.id)).toEqual(start.nodes.map((node) => node.id));
  expect(back.pipeline.edges).toEqual(start.edges);

  let forth: Drawing = JSON.parse(JSON.stringify(back));
  while (forth.history.future.length > 0) forth = redo(forth);
  expect(text(forth.pipeline)).toBe(text(end));
  expect(forth.history.past.length).toBe(length);
}, 120_000);

test("a new command forgets what was undone", () => {
  const first = perform(drawn(EMPTY), some(addNode(EMPTY, wanted("dataset"))));
  const undone = undo(first);
  const other = perform(undone, some(addNode(undone.pipeline, wanted("densenet"))));
  expect(other.history.future).toEqual([]);
  expect(redo(other)).toBe(other);
});

test("arrow keys that follow each other are undone at once", () => {
  let drawing = perform(drawn(EMPTY), some(addNode(EMPTY, wanted("dataset"))));
  for (const x of [10, 20, 30]) {
    const move = moveNodes(drawing.pipeline, new Map([["dataset", [x, 0]]]), LABEL, "arrows 1");
    drawing = perform(drawing, some(move));
  }
  expect(drawing.history.past).toHaveLength(2);
  expect(drawing.history.past.at(-1)?.steps).toHaveLength(1);
  expect(findNode(undo(drawing).pipeline, "dataset")?.position).toEqual([0, 0]);
});

test("undoing a parameter takes away what was not there before", () => {
  const start = { ...EMPTY, nodes: [{ id: "a", component: "split_image_directory", x_note: 1 }] };
  const place = { group: "params", name: "fraction" } as const;
  const set = perform(drawn(start), some(setValue(start, "a", place, 0.5, LABEL)));
  expect(set.pipeline.nodes[0]).toEqual({ ...start.nodes[0], params: { fraction: 0.5 } });
  expect(text(undo(set).pipeline)).toBe(text(start));
});

function wanted(component: string) {
  return { component, position: [0, 0] as const, name: component };
}

function some<T>(value: T | null): T {
  if (value === null) throw new Error("There is no command.");
  return value;
}
