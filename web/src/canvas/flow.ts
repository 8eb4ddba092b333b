/** The drawn pipeline as React Flow takes it; what did not change stays the same object, and is not drawn anew. */
import type { Edge } from "@xyflow/react";
import { type Catalogue, titleOf } from "../graph/catalogue";
import { isSame as isSameJson } from "../graph/json";
import { edgeId, edgesOf, endOf, findNode, type Pipeline, positionOf } from "../graph/pipeline";
import { NO_PORTS, usedPorts } from "../graph/usedPorts";
import { i18n } from "../i18n";
import type { FlowNode } from "./PipelineNode";
import { lifted } from "./PortMark";

export function flowNodes(
  pipeline: Pipeline,
  catalogue: Catalogue,
  selection: ReadonlySet<string>,
  before: readonly FlowNode[],
): FlowNode[] {
  const ports = usedPorts(pipeline);
  const known = new Map(before.map((node) => [node.id, node]));
  return pipeline.nodes.map((node) => {
    const [x, y] = positionOf(node);
    const selected = selection.has(node.id);
    const old = known.get(node.id);
    const found = ports.get(node.id) ?? NO_PORTS;
    const used = old && isSameJson({ ...old.data.used }, { ...found }) ? old.data.used : found;
    const ariaLabel = titleOf(node, catalogue);
    const isSame =
      old?.data.node === node &&
      old.ariaLabel === ariaLabel &&
      old.data.used === used &&
      old.selected === selected &&
      old.position.x === x &&
      old.position.y === y;
    if (isSame) return old;
    return {
      ...old,
      ariaLabel,
      id: node.id,
      type: "component",
      position: { x, y },
      selected,
      data: { node, used },
    };
  });
}

export function flowEdges(
  pipeline: Pipeline,
  catalogue: Catalogue,
  selected: ReadonlySet<string>,
): Edge[] {
  const titles = new Map(pipeline.nodes.map((node) => [node.id, titleOf(node, catalogue)]));
  return edgesOf(pipeline).flatMap((edge): Edge[] => {
    const [from, to] = [endOf(edge.from), endOf(edge.to)];
    if (!titles.has(from.node) || !titles.has(to.node)) return [];
    const id = edgeId(edge);
    return [
      {
        id,
        source: from.node,
        sourceHandle: from.port,
        target: to.node,
        targetHandle: to.port,
        selected: selected.has(id),
        ariaLabel: i18n.t("spoken.wire", {
          from: titles.get(from.node),
          to: titles.get(to.node),
        }),
        style: { stroke: colourOf(pipeline, catalogue, edge.from) },
      },
    ];
  });
}

/** Returns the type of what an output gives, or undefined where it is not known. */
export function typeOfEnd(
  pipeline: Pipeline,
  catalogue: Catalogue,
  text: string,
  side: "inputs" | "outputs" = "outputs",
): string | undefined {
  const end = endOf(text);
  const node = findNode(pipeline, end.node);
  const component = node && catalogue.components.get(node.component);
  return component?.[side].find((port) => port.name === end.port)?.type;
}

function colourOf(pipeline: Pipeline, catalogue: Catalogue, from: string): string {
  const type = typeOfEnd(pipeline, catalogue, from);
  const colour = catalogue.portTypes.get(type ?? "")?.colour;
  return colour ? lifted(colour) : "var(--quiet)";
}
