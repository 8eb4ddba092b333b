/** Copied nodes as text, with the edges between them and those that led into them. */
import { Change, type Command, type Label } from "./change";
import {
  edgesOf,
  endOf,
  freeId,
  type GraphEdge,
  type GraphNode,
  type Pipeline,
  type Position,
  positionOf,
  textOf,
} from "./pipeline";

const KIND = "imageloom-nodes";

export interface Fragment {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** From nodes that were not copied. */
  readonly incoming: readonly GraphEdge[];
}

export function copied(pipeline: Pipeline, ids: ReadonlySet<string>): Fragment {
  const into = edgesOf(pipeline).filter((edge) => ids.has(endOf(edge.to).node));
  const isInside = (edge: GraphEdge) => ids.has(endOf(edge.from).node);
  return {
    nodes: pipeline.nodes.filter((node) => ids.has(node.id)),
    edges: into.filter(isInside),
    incoming: into.filter((edge) => !isInside(edge)),
  };
}

export function fragmentText(fragment: Fragment): string {
  return JSON.stringify({ kind: KIND, ...fragment }, null, 1);
}

/** Returns what a text holds: copied nodes, or a whole pipeline file; null for anything else. */
export function fragmentOf(text: string): Fragment | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null; // people copy all sorts of text
  }
  const one = found as Partial<Fragment & { kind: string }> | null;
  if (one?.kind !== KIND && one?.kind !== "pipeline") return null;
  const { nodes, edges = [], incoming = [] } = one;
  const isWhole =
    Array.isArray(nodes) &&
    nodes.every((node) => typeof node?.id === "string" && typeof node.component === "string") &&
    [edges, incoming].every(
      (list) =>
        Array.isArray(list) &&
        list.every((edge) => typeof edge?.from === "string" && typeof edge.to === "string"),
    );
  return isWhole ? { nodes, edges, incoming } : null;
}

export interface Pasted {
  readonly command: Command | null;
  readonly ids: readonly string[];
}

/**
 * Pastes with new ids.
 *
 * @param at Where the upper left corner of what is pasted comes to lie.
 * @param keepsLinks Whether edges from nodes that were not copied are drawn anew, where those nodes are here.
 */
export function paste(
  pipeline: Pipeline,
  fragment: Fragment,
  at: Position,
  label: Label,
  keepsLinks: boolean,
): Pasted {
  const change = new Change(pipeline);
  const taken = new Set(pipeline.nodes.map((node) => node.id));
  const renamed = new Map<string, string>();
  const places = fragment.nodes.map(positionOf);
  const left = Math.min(...places.map(([x]) => x));
  const top = Math.min(...places.map(([, y]) => y));
  for (const node of fragment.nodes) {
    const id = freeId(node.id.replace(/_\d+$/, ""), taken);
    taken.add(id);
    renamed.set(node.id, id);
    const [x, y] = positionOf(node);
    change.addNode({ ...node, id, position: [at[0] + x - left, at[1] + y - top] });
  }
  const moved = (text: string) => {
    const { node, port } = endOf(text);
    return textOf({ node: renamed.get(node) ?? node, port });
  };
  const here = new Set(pipeline.nodes.map((node) => node.id));
  const links = keepsLinks ? fragment.incoming.filter((one) => here.has(endOf(one.from).node)) : [];
  for (const edge of fragment.edges) {
    if (renamed.has(endOf(edge.from).node) && renamed.has(endOf(edge.to).node)) {
      change.addEdge({ ...edge, from: moved(edge.from), to: moved(edge.to) });
    }
  }
  for (const edge of links) {
    if (renamed.has(endOf(edge.to).node)) change.addEdge({ ...edge, to: moved(edge.to) });
  }
  return { command: change.done(label), ids: [...renamed.values()] };
}
