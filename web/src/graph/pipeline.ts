/**
 * A drawn pipeline: the JSON of the pipeline file itself, never changed in place.
 *
 * Keys that nobody here knows stay where they are (docs/reference/pipeline-format.md), and so does the order.
 */
import type { JsonObject } from "./json";

export type Position = readonly [number, number];

export interface GraphNode extends JsonObject {
  readonly id: string;
  readonly component: string;
  readonly params?: JsonObject;
  readonly settings?: JsonObject;
  readonly title?: string;
  readonly position?: Position;
  readonly comment?: string;
}

/** `from` is `node.output` and `to` is `node.input`: the first dot ends the node's id. */
export interface GraphEdge extends JsonObject {
  readonly from: string;
  readonly to: string;
}

export interface Pipeline extends JsonObject {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly edges?: readonly GraphEdge[];
}

export interface End {
  readonly node: string;
  readonly port: string;
}

export const EMPTY: Pipeline = {
  format_version: 2,
  kind: "pipeline",
  name: "",
  nodes: [],
  edges: [],
};

/** Returns the end that a text such as `split.first` names. */
export function endOf(text: string): End {
  const dot = text.indexOf(".");
  return dot < 0
    ? { node: text, port: "" }
    : { node: text.slice(0, dot), port: text.slice(dot + 1) };
}

export function textOf(end: End): string {
  return `${end.node}.${end.port}`;
}

export function edgesOf(pipeline: Pipeline): readonly GraphEdge[] {
  return pipeline.edges ?? [];
}

/** Names an edge for the canvas: an input takes one edge, but a file may hold several. */
export function edgeId(edge: GraphEdge): string {
  return `${edge.from}>${edge.to}`;
}

export function findNode(pipeline: Pipeline, id: string): GraphNode | undefined {
  return pipeline.nodes.find((node) => node.id === id);
}

export function positionOf(node: GraphNode): Position {
  const [x, y] = node.position ?? [0, 0];
  return [Number(x) || 0, Number(y) || 0];
}

/** Returns ids of nodes that lead to those, or that they lead to, themselves left out. */
export function reachable(
  pipeline: Pipeline,
  starts: Iterable<string>,
  direction: "before" | "after",
): Set<string> {
  const next = new Map<string, string[]>();
  for (const edge of edgesOf(pipeline)) {
    const [from, to] = [endOf(edge.from).node, endOf(edge.to).node];
    const [key, value] = direction === "after" ? [from, to] : [to, from];
    next.set(key, [...(next.get(key) ?? []), value]);
  }
  const first = new Set(starts);
  const found = new Set<string>();
  const open = [...first];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const other of next.get(id) ?? []) {
      if (found.has(other)) continue;
      found.add(other);
      open.push(other);
    }
  }
  return found;
}

const LONGEST_ID = 64;

/** Returns an id that no node has: ids also name folders, so upper and lower case do not tell two apart. */
export function freeId(wanted: string, taken: ReadonlySet<string>): string {
  const lower = new Set([...taken].map((id) => id.toLowerCase()));
  const clean = wanted.replace(/[^A-Za-z0-9_-]/g, "_").replace(/^[^A-Za-z0-9]+/, "") || "node";
  for (let number = 1; ; number += 1) {
    const end = number === 1 ? "" : `_${number}`;
    const id = clean.slice(0, LONGEST_ID - end.length) + end;
    if (!lower.has(id.toLowerCase())) return id;
  }
}
