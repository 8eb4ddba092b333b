/** A pipeline to look at: its graph and what its nodes are set to, and nothing in it can be changed. */
import { ReactFlowProvider } from "@xyflow/react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { SeenGraph } from "../canvas/SeenGraph";
import { findNode, type Pipeline } from "../graph/pipeline";
import { NodePanel } from "../panel/NodePanel";
import panel from "../panel/Panel.module.css";
import styles from "./DraftView.module.css";
import bar from "./EditorBar.module.css";

interface SeenPipelineProps {
  /** With a place for each node. */
  pipeline: Pipeline;
  /** Why it is only to be looked at. */
  note: ReactNode;
  /** What can be done with it. */
  children: ReactNode;
}

export function SeenPipeline({ pipeline, note, children }: SeenPipelineProps) {
  const { t } = useTranslation();
  const [chosen, choose] = useState("");
  const node = findNode(pipeline, chosen);
  return (
    <ReactFlowProvider>
      <div className={`${styles.editor} ${styles.seen}`}>
        <div className={styles.bar}>
          <div className={bar.bar}>
            <h1 className={styles.seenName}>{pipeline.name}</h1>
            {note}
            <div className={styles.seenTools}>{children}</div>
          </div>
        </div>
        <div className={styles.stage}>
          <SeenGraph pipeline={pipeline} chosen={chosen} onChoose={choose} />
        </div>
        <aside className={panel.panel} aria-label={t("panel.label")}>
          <div className={panel.content}>
            {node ? (
              <NodePanel key={node.id} node={node} />
            ) : (
              <p className="quiet">{String(pipeline.description ?? "") || t("run.choose")}</p>
            )}
          </div>
        </aside>
      </div>
    </ReactFlowProvider>
  );
}
