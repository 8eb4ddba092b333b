/** The canvas of the open drawing: nodes, wires, and what a pointer does to them. */
import {
  applyNodeChanges,
  Background,
  BackgroundVariant,
  type Connection,
  Controls,
  type Edge,
  type EdgeChange,
  MiniMap,
  type NodeChange,
  ReactFlow,
  useReactFlow,
} from "@xyflow/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { select, useDraft } from "../drafts/store";
import { whyNot } from "../graph/fit";
import type { Position } from "../graph/pipeline";
import * as actions from "./actions";
import styles from "./Canvas.module.css";
import { flowEdges, flowNodes, typeOfEnd } from "./flow";
import { useKeys } from "./keys";
import { MapNode } from "./MapNode";
import { type FlowNode, PipelineNode } from "./PipelineNode";
import { componentIn, edgeUnder } from "./pointer";
import { usePressing } from "./pressing";
import { spokenLabels } from "./spokenLabels";
import { useSurroundings } from "./surroundings";
import { setTools } from "./tools";
import { useWires } from "./wires";

/** So far a finger may slip in a tap. */
const STEADY_PX = 4;
const NODE_TYPES = { component: PipelineNode };

export function Canvas() {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const { screenToFlowPosition } = useReactFlow();
  const pipeline = useDraft(({ drawing }) => drawing.pipeline);
  const selection = useDraft((state) => state.selection);
  const [nodes, setNodes] = useState<FlowNode[]>(() =>
    flowNodes(pipeline, catalogue, selection, []),
  );
  const [selectedEdges, setSelectedEdges] = useState<ReadonlySet<string>>(new Set());
  const edges = useMemo(
    () => flowEdges(pipeline, catalogue, selectedEdges),
    [pipeline, catalogue, selectedEdges],
  );
  const wires = useWires();
  const pressing = usePressing();
  useEffect(
    () => setNodes((old) => flowNodes(pipeline, catalogue, selection, old)),
    [pipeline, catalogue, selection],
  );
  useKeys(selectedEdges);

  const changeNodes = (changes: NodeChange<FlowNode>[]) => {
    setNodes((old) => applyNodeChanges(changes, old));
    const chosen = changes.filter((change) => change.type === "select");
    if (chosen.length === 0) return;
    const next = new Set(useDraft.getState().selection);
    for (const { id, selected } of chosen) selected ? next.add(id) : next.delete(id);
    select(next);
  };
  const changeEdges = (changes: EdgeChange[]) => {
    const chosen = changes.filter((change) => change.type === "select");
    setSelectedEdges((old) => {
      const next = new Set(old);
      for (const { id, selected } of chosen) selected ? next.add(id) : next.delete(id);
      return next;
    });
  };
  const drop = (
    event: React.MouseEvent | MouseEvent | TouchEvent,
    _: unknown,
    moved: FlowNode[],
  ) => {
    const places = moved.map(({ id, position }): [string, Position] => [
      id,
      [position.x, position.y],
    ]);
    actions.move(catalogue, new Map(places));
    const [only] = moved;
    const edge = only && moved.length === 1 && "clientX" in event ? edgeUnder(event) : null;
    if (only && edge) actions.dropOnEdge(catalogue, only.id, edge);
  };
  const dropComponent = (event: React.DragEvent) => {
    const component = catalogue.components.get(componentIn(event));
    if (!component) return;
    event.preventDefault();
    const { x, y } = screenToFlowPosition({ x: event.clientX - 112, y: event.clientY - 20 });
    const edge = edgeUnder(event);
    const type = edge && typeOfEnd(pipeline, catalogue, edge.split(">")[0] ?? "");
    actions.add(component, [x, y], edge && type ? { kind: "edge", edge, type } : { kind: "any" });
  };
  const askAt = (event: React.MouseEvent) => {
    if (!(event.target as Element).classList.contains("react-flow__pane")) return;
    const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const at: Position = [event.clientX, event.clientY];
    setTools({ adding: { wanted: { kind: "any" }, at, place: [x, y] } });
  };
  const askOnEdge = (event: React.MouseEvent, edge: Edge) => {
    const type = typeOfEnd(pipeline, catalogue, edge.id.split(">")[0] ?? "");
    const { x, y } = screenToFlowPosition({ x: event.clientX - 112, y: event.clientY });
    const at: Position = [event.clientX, event.clientY];
    if (type)
      setTools({ adding: { wanted: { kind: "edge", edge: edge.id, type }, at, place: [x, y] } });
  };
  const choose = (event: React.KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    const item = (event.target as Element).closest(".react-flow__node, .react-flow__edge");
    const id = item === event.target ? item.getAttribute("data-id") : null;
    if (!id) return;
    event.preventDefault();
    const isNode = item?.classList.contains("react-flow__node");
    select(isNode ? [id] : []);
    setSelectedEdges(new Set(isNode ? [] : [id]));
  };
  const isValid = useRef((_: Connection | Edge): boolean => true);
  isValid.current = ({ source, sourceHandle, target, targetHandle }) =>
    whyNot(
      wires.drawnWithout(pipeline),
      catalogue,
      { node: source, port: sourceHandle ?? "" },
      { node: target, port: targetHandle ?? "" },
    ) === null;

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a double click is one way; '/' is that of the keyboard
    <div
      className={styles.canvas}
      {...pressing}
      onDoubleClick={askAt}
      onKeyDown={choose}
      onDragOver={(event) => event.preventDefault()}
      onDrop={dropComponent}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        onNodesChange={changeNodes}
        onEdgesChange={changeEdges}
        onNodeDragStop={drop}
        onSelectionDragStop={drop as never}
        onNodeDoubleClick={(_, node) => setTools({ renaming: node.id })}
        onEdgeDoubleClick={askOnEdge}
        isValidConnection={(edge) => isValid.current(edge)}
        {...wires.handlers}
        onPaneClick={() => setTools({ notice: null, adding: null })}
        deleteKeyCode={null}
        disableKeyboardA11y
        zoomOnDoubleClick={false}
        selectNodesOnDrag={false}
        multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        connectionRadius={24}
        connectionDragThreshold={STEADY_PX}
        nodeDragThreshold={STEADY_PX}
        nodeClickDistance={STEADY_PX}
        paneClickDistance={STEADY_PX}
        minZoom={0.1}
        maxZoom={2}
        onlyRenderVisibleElements={pipeline.nodes.length > 150}
        fitView
        fitViewOptions={{ padding: 0.12, maxZoom: 1 }}
        proOptions={{ hideAttribution: true }}
        aria-label={t("canvas.label")}
        ariaLabelConfig={spokenLabels(t)}
      >
        <Background variant={BackgroundVariant.Dots} gap={24} size={1} color="var(--line)" />
        <Controls showInteractive={false} position="bottom-left" />
        {pipeline.nodes.length > 0 && (
          <MiniMap
            position="bottom-right"
            pannable
            zoomable
            ariaLabel={t("canvas.map")}
            className={styles.map ?? ""}
            nodeComponent={MapNode}
          />
        )}
      </ReactFlow>
      {pipeline.nodes.length === 0 && <p className={styles.empty}>{t("canvas.empty")}</p>}
    </div>
  );
}
