/** How two drawings of one pipeline differ, node by node. */
import { isSame, type Json, withKey } from "./json";
import { edgesOf, type GraphEdge, type GraphNode, type Pipeline } from "./pipeline";

export interface Difference {
  readonly added: readonly GraphNode[];
  readonly removed: readonly GraphNode[];
  /** As they are in the second; where one lies is no difference. */
  readonly changed: readonly GraphNode[];
  readonly edgesAdded: number;
  readonly edgesRemoved: number;
}

/** One thing that differs between two drawings: a node, a wire, or a value of a node that both have. */
export interface Change {
  readonly kind: "node" | "wire" | "value";
  /** The node's id, or where the wire begins. */
  readonly node: string;
  /** Name of the value, or where the wire ends; empty for a node. */
  readonly name: string;
  /** Undefined where one of the two does not have it. */
  readonly left: Json | undefined;
  readonly right: Json | undefined;
}

/** Returns everything by name in which two drawings differ; where nodes lie is no difference. */
export function changesOf(left: Pipeline, right: Pipeline): Change[] {
  const [old, now] = [left, right].map(
    (one) => new Map(one.nodes.map((node) => [node.id, node])),
  ) as [Map<string, GraphNode>, Map<string, GraphNode>];
  const nodes = [...new Set([...old.keys(), ...now.keys()])].flatMap((id) =>
    nodeChanges(id, old.get(id), now.get(id)),
  );
  const [oldEdges, nowEdges] = [left, right].map(
    (one) => new Map(edgesOf(one).map((edge) => [`${edge.from}>${edge.to}`, edge])),
  ) as [Map<string, GraphEdge>, Map<string, GraphEdge>];
  const wires = [...new Map([...oldEdges, ...nowEdges])].flatMap(([key, edge]): Change[] =>
    oldEdges.has(key) === nowEdges.has(key)
      ? []
      : [
          {
            kind: "wire",
            node: edge.from,
            name: edge.to,
            left: oldEdges.has(key) || undefined,
            right: nowEdges.has(key) || undefined,
          },
        ],
  );
  return [...nodes, ...wires];
}

function nodeChanges(
  id: string,
  left: GraphNode | undefined,
  right: GraphNode | undefined,
): Change[] {
  if (!left || !right) {
    const [was, is] = [left?.component, right?.component];
    return [{ kind: "node", node: id, name: "", left: was, right: is }];
  }
  const values = (node: GraphNode): Record<string, Json | undefined> => ({
    component: node.component,
    title: node.title,
    comment: node.comment,
    ...node.params,
    ...node.settings,
  });
  const [was, is] = [values(left), values(right)];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((name) => !isSame(was[name] ?? "", is[name] ?? ""))
    .map((name) => ({ kind: "value", node: id, name, left: was[name], right: is[name] }));
}

/** Returns what the second has that the first has not, and the other way round. */
export function difference(first: Pipeline, second: Pipeline): Difference {
  const [old, now] = [first, second].map(
    (one) => new Map(one.nodes.map((node) => [node.id, node])),
  ) as [Map<string, GraphNode>, Map<string, GraphNode>];
  const [oldEdges, nowEdges] = [first, second].map(
    (one) => new Set(edgesOf(one).map((edge) => `${edge.from}>${edge.to}`)),
  ) as [Set<string>, Set<string>];
  return {
    added: second.nodes.filter((node) => !old.has(node.id)),
    removed: first.nodes.filter((node) => !now.has(node.id)),
    changed: second.nodes.filter((node) => {
      const before = old.get(node.id);
      return before !== undefined && !isSame(unplaced(before), unplaced(node));
    }),
    edgesAdded: [...nowEdges].filter((edge) => !oldEdges.has(edge)).length,
    edgesRemoved: [...oldEdges].filter((edge) => !nowEdges.has(edge)).length,
  };
}

function unplaced(node: GraphNode): GraphNode {
  return withKey(node, "position", undefined);
}
