/** Commands on nodes: add, remove, move, parameters, settings, title, comment. */
import { Change, type Command, type Label } from "./change";
import { type Json, type JsonObject, withKey } from "./json";
import {
  edgesOf,
  endOf,
  freeId,
  type GraphNode,
  type Pipeline,
  type Position,
  positionOf,
} from "./pipeline";

export interface NewNode {
  readonly component: string;
  readonly version?: number;
  readonly position: Position;
  /** What people call it; stands in the name of the command. */
  readonly name: string;
}

/** Returns the node that the next `addNode` of that component makes. */
export function madeNode(pipeline: Pipeline, wanted: NewNode): GraphNode {
  const taken = new Set(pipeline.nodes.map((node) => node.id));
  return {
    id: freeId(wanted.component, taken),
    component: wanted.component,
    position: rounded(wanted.position),
    ...(wanted.version === undefined ? {} : { version: wanted.version }),
  };
}

export function addNode(pipeline: Pipeline, wanted: NewNode): Command | null {
  const change = new Change(pipeline);
  change.addNode(madeNode(pipeline, wanted));
  return change.done({ key: "command.add", values: { name: wanted.name } });
}

/**
 * Removes nodes with their edges. With `isBridged`, what led into a node is joined to what it led to, where the
 * edge on both sides is of one type, as `typeOf` tells it of an end.
 */
export function removeNodes(
  pipeline: Pipeline,
  ids: readonly string[],
  label: Label,
  typeOf?: (end: string) => string | undefined,
): Command | null {
  const change = new Change(pipeline);
  for (const id of ids) {
    const before = edgesOf(change.pipeline).filter((edge) => endOf(edge.to).node === id);
    const after = edgesOf(change.pipeline).filter((edge) => endOf(edge.from).node === id);
    change.removeEdges((edge) => endOf(edge.from).node === id || endOf(edge.to).node === id);
    change.setNode(id, () => undefined);
    if (!typeOf) continue;
    for (const out of after) {
      const into = before.find((edge) => typeOf(edge.from) === typeOf(out.from));
      if (into) change.addEdge({ from: into.from, to: out.to });
    }
  }
  return change.done(label);
}

export function moveNodes(
  pipeline: Pipeline,
  places: ReadonlyMap<string, Position>,
  label: Label,
  merge?: string,
): Command | null {
  const change = new Change(pipeline);
  for (const [id, place] of places) {
    const [x, y] = rounded(place);
    change.setNode(id, (node) => {
      const [oldX, oldY] = positionOf(node);
      return node.position && oldX === x && oldY === y ? node : { ...node, position: [x, y] };
    });
  }
  return change.done(label, merge);
}

/** Sets a value below `params` or `settings`; undefined takes it away, and the default holds again. */
export function setValue(
  pipeline: Pipeline,
  id: string,
  place: { readonly group: "params" | "settings"; readonly name: string },
  value: Json | undefined,
  label: Label,
): Command | null {
  const change = new Change(pipeline);
  change.setNode(id, (node) => {
    const old = node[place.group] ?? {};
    if (old[place.name] === value) return node;
    return withoutEmpty(node, place.group, withKey(old, place.name, value));
  });
  return change.done(label);
}

/** Sets the title or the comment of a node; an empty one is not written. */
export function setText(
  pipeline: Pipeline,
  id: string,
  key: "title" | "comment",
  text: string,
  label: Label,
): Command | null {
  const change = new Change(pipeline);
  const value = text.trim() === "" ? undefined : text;
  change.setNode(id, (node) => (node[key] === value ? node : withKey(node, key, value)));
  return change.done(label);
}

export function setHead(
  pipeline: Pipeline,
  key: "name" | "description",
  text: string,
  label: Label,
): Command | null {
  const change = new Change(pipeline);
  change.setHead(key, text === "" && key !== "name" ? undefined : text);
  return change.done(label);
}

/** Does several commands as one. Each is made on what those before it left. */
export function group(
  pipeline: Pipeline,
  label: Label,
  makers: readonly ((pipeline: Pipeline) => Command | null)[],
): Command | null {
  const change = new Change(pipeline);
  for (const make of makers) {
    const command = make(change.pipeline);
    if (command) change.take(command.steps);
  }
  return change.done(label);
}

function withoutEmpty(node: GraphNode, group: string, values: JsonObject): GraphNode {
  return withKey(node, group, Object.keys(values).length === 0 ? undefined : values);
}

function rounded([x, y]: Position): Position {
  return [Math.round(x), Math.round(y)];
}
