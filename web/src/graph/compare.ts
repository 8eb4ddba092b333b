/** How two drawings of one pipeline differ, node by node. */
import { isSame, withKey } from "./json";
import { edgesOf, type GraphNode, type Pipeline } from "./pipeline";

export interface Difference {
  readonly added: readonly GraphNode[];
  readonly removed: readonly GraphNode[];
  /** As they are in the second; where one lies is no difference. */
  readonly changed: readonly GraphNode[];
  readonly edgesAdded: number;
  readonly edgesRemoved: number;
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
