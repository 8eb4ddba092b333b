/** A graph to look at, and never to change: a press on a node chooses it. */
import { Background, BackgroundVariant, Controls, ReactFlow } from "@xyflow/react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useCatalogue } from "../api/queries";
import type { Pipeline } from "../graph/pipeline";
import styles from "./Canvas.module.css";
import { flowEdges, flowNodes } from "./flow";
import { PipelineNode } from "./PipelineNode";
import { spokenLabels } from "./spokenLabels";
import { SurroundingsProvider } from "./surroundings";

const NODE_TYPES = { component: PipelineNode };
const NONE: ReadonlySet<string> = new Set();

interface SeenGraphProps {
  /** With a place for each node. */
  pipeline: Pipeline;
  chosen: string;
  onChoose: (node: string) => void;
}

export function SeenGraph({ pipeline, chosen, onChoose }: SeenGraphProps) {
  const { t } = useTranslation();
  const { data: catalogue } = useCatalogue();
  const nodes = useMemo(
    () => (catalogue ? flowNodes(pipeline, catalogue, new Set([chosen]), []) : []),
    [pipeline, catalogue, chosen],
  );
  const edges = useMemo(
    () => (catalogue ? flowEdges(pipeline, catalogue, NONE) : []),
    [pipeline, catalogue],
  );
  if (!catalogue) return null;
  const press = (event: React.KeyboardEvent) => {
    const id = (event.target as Element).closest(".react-flow__node")?.getAttribute("data-id");
    if (!id || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    onChoose(id);
  };
  return (
    <SurroundingsProvider value={{ catalogue, isReadOnly: true }}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the nodes inside take the focus */}
      <div className={styles.canvas} onKeyDown={press}>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          onNodeClick={(_, node) => onChoose(node.id)}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          nodesFocusable
          disableKeyboardA11y
          deleteKeyCode={null}
          minZoom={0.1}
          maxZoom={2}
          fitView
          fitViewOptions={{ padding: 0.12, maxZoom: 1 }}
          proOptions={{ hideAttribution: true }}
          aria-label={t("canvas.label")}
          ariaLabelConfig={spokenLabels(t)}
        >
          <Background variant={BackgroundVariant.Dots} gap={24} size={1} color="var(--line)" />
          <Controls showInteractive={false} position="bottom-right" />
        </ReactFlow>
      </div>
    </SurroundingsProvider>
  );
}
