import { expect, test } from "vitest";
import { difference } from "./compare";
import { NO_HISTORY, perform, undo } from "./history";
import { EMPTY } from "./pipeline";
import { restore } from "./restore";
import { seedPipeline } from "./testing/seed";

const LABEL = { key: "command.test" };

test("an earlier drawing takes the place of the present one, and undo brings that back", () => {
  const [present, earlier] = [seedPipeline(), { ...EMPTY, nodes: [{ id: "a", component: "b" }] }];
  const command = restore(present, earlier, LABEL);
  if (!command) throw new Error("There is no command.");
  const restored = perform({ pipeline: present, history: NO_HISTORY }, command);
  expect(restored.pipeline).toEqual(earlier);
  expect(undo(restored).pipeline).toEqual(present);
});

test("two drawings differ by what was added, removed and changed, not by where nodes lie", () => {
  const seed = seedPipeline();
  const [first, second, ...others] = seed.nodes;
  if (!first || !second) throw new Error("The seed has nodes.");
  const moved = { ...first, position: [9, 9] as const };
  const other = {
    ...seed,
    nodes: [moved, { ...second, title: "New" }, ...others.slice(1)],
    edges: [],
  };
  const found = difference(seed, {
    ...other,
    nodes: [...other.nodes, { id: "x", component: "y" }],
  });
  expect(found.added.map((node) => node.id)).toEqual(["x"]);
  expect(found.removed.map((node) => node.id)).toEqual([others[0]?.id]);
  expect(found.changed.map((node) => node.id)).toEqual([second.id]);
  expect([found.edgesAdded, found.edgesRemoved]).toEqual([0, seed.edges?.length]);
});
