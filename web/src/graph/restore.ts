/** Puts a whole earlier drawing in the place of the present one, as one command that can be undone. */
import { Change, type Command, type Label } from "./change";
import { edgesOf, type Pipeline } from "./pipeline";

const NOT_HEAD = ["nodes", "edges"];

export function restore(pipeline: Pipeline, earlier: Pipeline, label: Label): Command | null {
  const change = new Change(pipeline);
  change.removeEdges(() => true);
  for (const node of pipeline.nodes.toReversed()) change.setNode(node.id, () => undefined);
  for (const node of earlier.nodes) change.addNode(node);
  for (const edge of edgesOf(earlier)) change.addEdge(edge);
  const keys = new Set([...Object.keys(pipeline), ...Object.keys(earlier)]);
  for (const key of keys) if (!NOT_HEAD.includes(key)) change.setHead(key, earlier[key]);
  return change.done(label);
}
