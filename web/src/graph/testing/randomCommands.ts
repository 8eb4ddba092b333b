/** Any command that a person can give, on any pipeline. */
import { ARRANGEMENTS, arranged } from "../arrange";
import type { Command } from "../change";
import { copied, fragmentOf, fragmentText, paste } from "../clipboard";
import { connect, disconnect, insertNew, insertOld, reconnect } from "../edgeCommands";
import { tidied } from "../layout";
import {
  addNode,
  group,
  moveNodes,
  removeNodes,
  setHead,
  setText,
  setValue,
} from "../nodeCommands";
import { type End, edgeId, edgesOf, type Pipeline } from "../pipeline";
import type { Chance } from "./random";

type Maker = (pipeline: Pipeline, chance: Chance) => Command | null;

const COMPONENTS = ["dataset", "split_image_directory", "train_pytorch_model", "not_installed"];
const PORTS = ["images", "first", "second", "model", "training"];
const LABEL = { key: "command.test" };
const BETWEEN = { input: "images", output: "first" };

const add: Maker = (pipeline, chance) =>
  addNode(pipeline, {
    component: chance.pick(COMPONENTS),
    position: place(chance),
    name: "A toy",
    version: 1,
  });

const ON_NODES: readonly Maker[] = [
  (pipeline, chance) => removeNodes(pipeline, [anyNode(pipeline, chance)], LABEL),
  (pipeline, chance) => removeNodes(pipeline, [anyNode(pipeline, chance)], LABEL, () => "same"),
  (pipeline, chance) => {
    const places = new Map([[anyNode(pipeline, chance), place(chance)]]);
    return moveNodes(pipeline, places, LABEL, chance.pick([undefined, "arrows"]));
  },
  (pipeline, chance) => {
    const where = { group: chance.pick(["params", "settings"] as const), name: chance.pick(PORTS) };
    const value = chance.pick([undefined, 1, "text", null, true, ["a", "b"]]);
    return setValue(pipeline, anyNode(pipeline, chance), where, value, LABEL);
  },
  (pipeline, chance) =>
    setText(
      pipeline,
      anyNode(pipeline, chance),
      chance.pick(["title", "comment"]),
      chance.pick(["", "Some words"]),
      LABEL,
    ),
  (pipeline, chance) => {
    const [from, to] = [anyEnd(pipeline, chance), anyEnd(pipeline, chance)];
    return connect(pipeline, from, to, LABEL);
  },
  (pipeline, chance) => {
    const ids = new Set([anyNode(pipeline, chance), anyNode(pipeline, chance)]);
    const fragment = fragmentOf(fragmentText(copied(pipeline, ids)));
    if (!fragment) throw new Error("What was copied could not be read.");
    return paste(pipeline, fragment, place(chance), LABEL, chance.next() < 0.5).command;
  },
  (pipeline, chance) => {
    const ids = pipeline.nodes.slice(0, 5).map((node) => node.id);
    return moveNodes(
      pipeline,
      arranged(pipeline, ids, new Map(), chance.pick(ARRANGEMENTS)),
      LABEL,
    );
  },
  (pipeline) => (pipeline.nodes.length > 40 ? null : tidy(pipeline)),
  (pipeline, chance) =>
    group(pipeline, LABEL, [
      (now) => add(now, chance),
      (now) => connect(now, anyEnd(now, chance), anyEnd(now, chance), LABEL),
    ]),
];

const ON_EDGES: readonly Maker[] = [
  (pipeline, chance) => disconnect(pipeline, new Set([anyEdge(pipeline, chance)]), LABEL),
  (pipeline, chance) =>
    reconnect(
      pipeline,
      anyEdge(pipeline, chance),
      anyEnd(pipeline, chance),
      anyEnd(pipeline, chance),
      LABEL,
    ),
  (pipeline, chance) => {
    const wanted = { component: "split_image_directory", position: place(chance), name: "Split" };
    return insertNew(pipeline, anyEdge(pipeline, chance), wanted, BETWEEN, LABEL);
  },
  (pipeline, chance) =>
    insertOld(pipeline, anyEdge(pipeline, chance), anyNode(pipeline, chance), BETWEEN, LABEL),
];

const ALWAYS: readonly Maker[] = [
  add,
  (pipeline, chance) =>
    setHead(pipeline, chance.pick(["name", "description"]), chance.pick(["", "One", "Two"]), LABEL),
];

export function randomCommand(pipeline: Pipeline, chance: Chance): Command | null {
  const makers = [
    ...ALWAYS,
    ...(pipeline.nodes.length > 0 ? ON_NODES : []),
    ...(pipeline.nodes.length > 0 && edgesOf(pipeline).length > 0 ? ON_EDGES : []),
    ...(pipeline.nodes.length > 60 ? [ON_NODES[0] ?? add] : []),
  ];
  return chance.pick(makers)(pipeline, chance);
}

function tidy(pipeline: Pipeline): Command | null {
  return moveNodes(pipeline, tidied(pipeline, new Map()), LABEL);
}

function anyNode(pipeline: Pipeline, chance: Chance): string {
  return chance.pick(pipeline.nodes).id;
}

function anyEnd(pipeline: Pipeline, chance: Chance): End {
  return { node: anyNode(pipeline, chance), port: chance.pick(PORTS) };
}

function anyEdge(pipeline: Pipeline, chance: Chance): string {
  return edgeId(chance.pick(edgesOf(pipeline)));
}

function place(chance: Chance): [number, number] {
  return [chance.next() * 2000 - 500, chance.next() * 2000];
}
