/** The graph of a run, to look at: lights tell how far each node is, a press shows what is known of it. */
import { Background, BackgroundVariant, Controls, ReactFlow } from "@xyflow/react";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useCatalogue } from "../api/queries";
import type { RunDetail, RunNow } from "../api/types";
import { placed } from "../graph/layout";
import type { Pipeline } from "../graph/pipeline";
import { go } from "../shell/route";
import styles from "./Canvas.module.css";
import { flowEdges, flowNodes } from "./flow";
import { setLights } from "./lights";
import { PipelineNode } from "./PipelineNode";
import { runLights } from "./runLights";
import { spokenLabels } from "./spokenLabels";
import { SurroundingsProvider } from "./surroundings";

const NODE_TYPES = { component: PipelineNode };
const NONE: ReadonlySet<string> = new Set();

interface RunGraphProps {
  run: RunDetail;
  now: RunNow | null;
  chosen: string;
}

export function RunGraph({ run, now, chosen }: RunGraphProps) {
  const { t } = useTranslation();
  const { data: catalogue } = useCatalogue();
  // What was asked for never changes: the run is read anew for its states alone.
  const pipeline = useMemo(() => placed(run.pipeline as unknown as Pipeline), [run.id]);
  const nodes = useMemo(
    () => (catalogue ? flowNodes(pipeline, catalogue, new Set([chosen]), []) : []),
    [pipeline, catalogue, chosen],
  );
  const edges = useMemo(
    () => (catalogue ? flowEdges(pipeline, catalogue, NONE) : []),
    [pipeline, catalogue],
  );
  useEffect(() => setLights(runLights(run, now)), [run, now]);
  useEffect(() => () => setLights({}), []);
  if (!catalogue) return null;
  const show = (id: string) => go({ view: "run", id: run.id, node: id });
  const press = (event: React.KeyboardEvent) => {
    const id = (event.target as Element).closest(".react-flow__node")?.getAttribute("data-id");
    if (!id || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    show(id);
  };
  return (
    <SurroundingsProvider value={{ catalogue, isReadOnly: true }}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the nodes inside take the focus */}
      <div className={styles.canvas} onKeyDown={press}>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          onNodeClick={(_, node) => show(node.id)}
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
