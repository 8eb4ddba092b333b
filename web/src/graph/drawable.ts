/** What can be drawn of a pipeline that a newer version wrote, whatever else stands in it; it is drawn, never saved. */
import type { Json, JsonObject } from "./json";
import { EMPTY, type GraphEdge, type GraphNode, type Pipeline, type Position } from "./pipeline";

/** Whether a pipeline has a later format than this page can change. */
export function isNewer(content: JsonObject): boolean {
  const { format_version: written } = content;
  return typeof written === "number" && written > Number(EMPTY.format_version);
}

/** Returns the nodes and edges that have the form of today's; the first of several with one id. */
export function drawable(content: JsonObject): Pipeline {
  const nodes = new Map<string, GraphNode>();
  for (const node of listAt(content, "nodes").flatMap(nodeOf)) {
    if (!nodes.has(node.id)) nodes.set(node.id, node);
  }
  return {
    name: textAt(content, "name"),
    description: textAt(content, "description"),
    nodes: [...nodes.values()],
    edges: listAt(content, "edges").flatMap(edgeOf),
  };
}

function nodeOf(found: Json): GraphNode[] {
  if (!isObject(found)) return [];
  const { id, component, position } = found;
  if (typeof id !== "string" || typeof component !== "string") return [];
  return [
    {
      id,
      component,
      title: textAt(found, "title"),
      comment: textAt(found, "comment"),
      params: isObject(found.params) ? found.params : {},
      settings: isObject(found.settings) ? found.settings : {},
      ...(isPosition(position) && { position }),
    },
  ];
}

function edgeOf(found: Json): GraphEdge[] {
  if (!isObject(found)) return [];
  const { from, to } = found;
  return typeof from === "string" && typeof to === "string" ? [{ from, to }] : [];
}

function listAt(content: JsonObject, key: string): readonly Json[] {
  const found = content[key];
  return Array.isArray(found) ? found : [];
}

function textAt(content: JsonObject, key: string): string {
  const found = content[key];
  return typeof found === "string" ? found : "";
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPosition(value: Json | undefined): value is Position {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
}
