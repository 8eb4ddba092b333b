/** The part of a pipeline that a result depends on. */
import { edgesOf, endOf, type Pipeline, reachable } from "./pipeline";

/** Returns the pipeline with one node and all that it needs, and with the edges between them. */
export function upTo(pipeline: Pipeline, node: string): Pipeline {
  const wanted = reachable(pipeline, [node], "before").add(node);
  return {
    ...pipeline,
    nodes: pipeline.nodes.filter(({ id }) => wanted.has(id)),
    edges: edgesOf(pipeline).filter(
      ({ from, to }) => wanted.has(endOf(from).node) && wanted.has(endOf(to).node),
    ),
  };
}
