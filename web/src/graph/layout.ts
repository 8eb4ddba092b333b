/** Where nodes come to lie when a graph is tidied: layers from top to bottom, few crossings. */
import { Graph, layout } from "@dagrejs/dagre";
import {
  edgesOf,
  endOf,
  type GraphNode,
  type Pipeline,
  type Position,
  positionOf,
} from "./pipeline";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const NODE_SIZE: Size = { width: 224, height: 72 };
const GRID = 8;

/**
 * Returns new places of nodes; those of a selection stay around its own upper left corner.
 *
 * @param sizes What is drawn; a node that is not in it has the usual size.
 * @param selection Which nodes to lay out; all of them when it is empty.
 */
export function tidied(
  pipeline: Pipeline,
  sizes: ReadonlyMap<string, Size>,
  selection: ReadonlySet<string> = new Set(),
): Map<string, Position> {
  const nodes = pipeline.nodes.filter((node) => selection.size < 2 || selection.has(node.id));
  if (nodes.length === 0) return new Map();
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 40, ranksep: 56 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node.id, { ...(sizes.get(node.id) ?? NODE_SIZE) });
  for (const edge of edgesOf(pipeline)) {
    const [from, to] = [endOf(edge.from).node, endOf(edge.to).node];
    if (graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to, {}, edge.to);
  }
  layout(graph);
  const corners = nodes.map((node): [string, number, number] => {
    const { x = 0, y = 0, width = 0, height = 0 } = graph.node(node.id) as Partial<Size & Point>;
    return [node.id, x - width / 2, y - height / 2];
  });
  const [left, top] = upperLeft(corners.map(([, x, y]) => [x, y]));
  const [toLeft, toTop] = selection.size < 2 ? [0, 0] : upperLeft(nodes.map(positionOf));
  return new Map(
    corners.map(([id, x, y]) => [id, [onGrid(x - left + toLeft), onGrid(y - top + toTop)]]),
  );
}

interface Point {
  x: number;
  y: number;
}

function upperLeft(places: readonly Position[]): Position {
  return [Math.min(...places.map(([x]) => x)), Math.min(...places.map(([, y]) => y))];
}

function onGrid(value: number): number {
  return Math.round(value / GRID) * GRID;
}

/** Returns the pipeline, laid out if it never was. */
export function placed(pipeline: Pipeline): Pipeline {
  if (!hasNoPlaces(pipeline)) return pipeline;
  const places = tidied(pipeline, new Map());
  const at = (node: GraphNode): GraphNode => ({ ...node, position: places.get(node.id) ?? [0, 0] });
  return { ...pipeline, nodes: pipeline.nodes.map(at) };
}

/** Whether a pipeline was never laid out, as those from the command line. */
export function hasNoPlaces(pipeline: Pipeline): boolean {
  return pipeline.nodes.length > 0 && pipeline.nodes.every((node) => node.position === undefined);
}
