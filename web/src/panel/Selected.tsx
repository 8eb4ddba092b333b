/** Of several nodes that are selected: which they are, and how to put them in line. */
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import * as actions from "../canvas/actions";
import { useSizes } from "../canvas/sizes";
import { useSurroundings } from "../canvas/surroundings";
import { select, useDraft } from "../drafts/store";
import { ARRANGEMENTS } from "../graph/arrange";
import { titleOf } from "../graph/catalogue";
import { findNode } from "../graph/pipeline";
import { Icon } from "../icons/Icon";
import styles from "./Panel.module.css";

export function Selected() {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const sizes = useSizes();
  const selection = useDraft((state) => state.selection);
  const pipeline = useDraft(({ drawing }) => drawing.pipeline);
  return (
    <>
      <h2 className={styles.title}>{t("panel.selected", { count: selection.size })}</h2>
      <div className={styles.arrange} role="toolbar" aria-label={t("arrange.title")}>
        {ARRANGEMENTS.map((how) => (
          <Button
            key={how}
            leftSection={<Icon name={how} size={14} />}
            onClick={() => actions.arrange(how, sizes())}
          >
            {t(`arrange.${how}`)}
          </Button>
        ))}
      </div>
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
