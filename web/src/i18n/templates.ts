/** A template in the page's language: its card, and the names and notes in the pipeline that begins with it. */
import type { Template } from "../api/types";
import type { GraphNode, Pipeline } from "../graph/pipeline";
import { fromServer } from "./fromServer";

export function templateIn(template: Template): Template {
  const { title, help, pipeline } = template;
  const named = { ...pipeline, name: fromServer(pipeline.name) };
  const told: Pipeline =
    typeof pipeline.description === "string"
      ? { ...named, description: fromServer(pipeline.description) }
      : named;
  return {
    ...template,
    title: fromServer(title),
    help: fromServer(help),
    pipeline: { ...told, nodes: pipeline.nodes.map(nodeIn) },
  };
}

function nodeIn(node: GraphNode): GraphNode {
  return node.title ? { ...node, title: fromServer(node.title) } : node;
}
