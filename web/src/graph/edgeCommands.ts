/** Commands on edges: connect, disconnect, reconnect, insert a node on one. */
import { Change, type Command, type Label } from "./change";
import { madeNode, type NewNode } from "./nodeCommands";
import { type End, edgeId, edgesOf, type GraphEdge, type Pipeline, textOf } from "./pipeline";

/** Joins an output to an input; an input takes one edge, so the one that ended there goes. */
export function connect(pipeline: Pipeline, from: End, to: End, label: Label): Command | null {
  const change = new Change(pipeline);
  const edge = { from: textOf(from), to: textOf(to) };
  if (edgesOf(pipeline).some((one) => edgeId(one) === edgeId(edge))) return null;
  change.removeEdges((one) => one.to === edge.to);
  change.addEdge(edge);
  return change.done(label);
}

export function disconnect(
  pipeline: Pipeline,
  ids: ReadonlySet<string>,
  label: Label,
): Command | null {
  const change = new Change(pipeline);
  change.removeEdges((edge) => ids.has(edgeId(edge)));
  return change.done(label);
}

/** Moves an edge to other ends; keys of the edge that we do not know stay. */
export function reconnect(
  pipeline: Pipeline,
  old: string,
  from: End,
  to: End,
  label: Label,
): Command | null {
  const edge = edgesOf(pipeline).find((one) => edgeId(one) === old);
  const moved: GraphEdge = { ...edge, from: textOf(from), to: textOf(to) };
  if (!edge || edgeId(moved) === old) return null;
  const change = new Change(pipeline);
  change.removeEdges((one) => edgeId(one) === old || one.to === moved.to);
  change.addEdge(moved);
  return change.done(label);
}

/** Puts a new node in the middle of an edge. */
export function insertNew(
  pipeline: Pipeline,
  edge: string,
  wanted: NewNode,
  ports: { readonly input: string; readonly output: string },
  label: Label,
): Command | null {
  const node = madeNode(pipeline, wanted);
  const change = new Change(pipeline);
  change.addNode(node);
  splice(change, edge, node.id, ports);
  return change.done(label);
}

/** Puts a node that is there already, and has no edge at these ports, in the middle of an edge. */
export function insertOld(
  pipeline: Pipeline,
  edge: string,
  node: string,
  ports: { readonly input: string; readonly output: string },
  label: Label,
): Command | null {
  const change = new Change(pipeline);
  splice(change, edge, node, ports);
  return change.done(label);
}

function splice(
  change: Change,
  id: string,
  node: string,
  ports: { readonly input: string; readonly output: string },
): void {
  const [edge] = change.removeEdges((one) => edgeId(one) === id);
  if (!edge) return;
  const input = textOf({ node, port: ports.input });
  change.removeEdges((one) => one.to === input);
  change.addEdge({ ...edge, to: input });
  change.addEdge({ from: textOf({ node, port: ports.output }), to: edge.to });
}
