/** The panel of what is selected, or of the pipeline: at the right, and on small screens a sheet from below. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useDraft } from "../drafts/store";
import { findNode } from "../graph/pipeline";
import { HALF } from "../graph/sheet";
import { NodePanel } from "./NodePanel";
import styles from "./Panel.module.css";
import { PipelinePanel } from "./PipelinePanel";
import { Selected } from "./Selected";
import { SheetHandle } from "./SheetHandle";

export function Panel() {
  const { t } = useTranslation();
  const [height, setHeight] = useState(HALF);
  const selection = useDraft((state) => state.selection);
  const [only] = selection;
  const node = useDraft(({ drawing }) =>
    selection.size === 1 && only ? findNode(drawing.pipeline, only) : undefined,
  );
  return (
    <aside
      className={styles.panel}
      aria-label={t("panel.label")}
      style={{ "--sheet": `${height}dvh` } as React.CSSProperties}
    >
      <SheetHandle height={height} onHeight={setHeight} />
      <div className={styles.content}>
        {node ? (
          <NodePanel key={node.id} node={node} />
        ) : selection.size > 1 ? (
          <Selected />
        ) : (
          <PipelinePanel />
        )}
      </div>
    </aside>
  );
}
