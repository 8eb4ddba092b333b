import { expect, test } from "vitest";
import { drawable, isNewer } from "./drawable";
import { EMPTY, type Pipeline } from "./pipeline";
import { seedPipeline } from "./testing/seed";

test("J14: of a pipeline of today all is drawn", () => {
  const { nodes, edges } = drawable(seedPipeline());
  expect(nodes).toMatchObject(seedPipeline().nodes as object[]);
  expect(edges).toEqual(seedPipeline().edges);
});

test("J14: of a newer one what has the form of today's is drawn, and the rest harms nothing", () => {
  const content = {
    format_version: 3,
    kind: "pipeline",
    name: ["odd"],
    nodes: [
      { id: "a", component: "dataset", params: [], position: [1, "2"], title: 7, lanes: [1] },
      { id: "a", component: "second" },
      { id: "b", component: "score", params: { __proto__: null, x: 1 }, position: [3, 4] },
      { id: 5, component: "dataset" },
      "no node",
      null,
    ],
    edges: [{ from: "a.x", to: "b.y", weight: 2 }, ["a.x", "b.y"], { from: "a.x" }],
  };
  expect(drawable(content as unknown as Pipeline)).toEqual({
    name: "",
    description: "",
    nodes: [
      { id: "a", component: "dataset", title: "", comment: "", params: {}, settings: {} },
      {
        id: "b",
        component: "score",
        title: "",
        comment: "",
        params: { x: 1 },
        settings: {},
        position: [3, 4],
      },
    ],
    edges: [{ from: "a.x", to: "b.y" }],
  });
});

test("J14: only a later number is newer", () => {
  const today = Number(EMPTY.format_version);
  const versions = [today - 1, today, today + 1, "9", null];
  expect(versions.map((format_version) => isNewer({ format_version }))).toEqual([
    false,
    false,
    true,
    false,
    false,
  ]);
});
