/** The panel at the right: of what is selected, or of the pipeline. */
import { useTranslation } from "react-i18next";
import { useSurroundings } from "../canvas/surroundings";
import { select, useDraft } from "../drafts/store";
import { titleOf } from "../graph/catalogue";
import { findNode } from "../graph/pipeline";
import { NodePanel } from "./NodePanel";
import styles from "./Panel.module.css";
import { PipelinePanel } from "./PipelinePanel";

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

function Selected() {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const selection = useDraft((state) => state.selection);
  const pipeline = useDraft(({ drawing }) => drawing.pipeline);
  return (
    <>
      <h2 className={styles.title}>{t("panel.selected", { count: selection.size })}</h2>
      <ul className={styles.list}>
        {[...selection].map((id) => {
          const node = findNode(pipeline, id);
          return (
            <li key={id}>
              <button type="button" className={styles.item} onClick={() => select([id])}>
                {node ? titleOf(node, catalogue) : id}
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
