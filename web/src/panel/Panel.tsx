/** The panel at the right: of what is selected, or of the pipeline. */
import { useTranslation } from "react-i18next";
import { useDraft } from "../drafts/store";
import { findNode } from "../graph/pipeline";
import { NodePanel } from "./NodePanel";
import styles from "./Panel.module.css";
import { PipelinePanel } from "./PipelinePanel";
import { Selected } from "./Selected";

export function Panel() {
  const { t } = useTranslation();
  const selection = useDraft((state) => state.selection);
  const [only] = selection;
  const node = useDraft(({ drawing }) =>
    selection.size === 1 && only ? findNode(drawing.pipeline, only) : undefined,
  );
  return (
    <aside className={styles.panel} aria-label={t("panel.label")}>
      {node ? (
        <NodePanel key={node.id} node={node} />
      ) : selection.size > 1 ? (
        <Selected />
      ) : (
        <PipelinePanel />
      )}
    </aside>
  );
}
