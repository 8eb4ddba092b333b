/** Says whether what is drawn is saved. */
import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Icon, type IconName } from "../icons/Icon";
import styles from "./EditorBar.module.css";
import { type Saving, useDraft } from "./store";

const ICONS: Readonly<Record<Saving, IconName>> = {
  saved: "check",
  waiting: "waiting",
  saving: "waiting",
  failed: "warning",
  conflict: "warning",
};

export function SaveState() {
  const { t } = useTranslation();
  const saving = useDraft((state) => state.saving);
  const version = useDraft((state) => state.version);
  const problem = useDraft((state) => state.problem);
  const isKept = useDraft((state) => state.isKept);
  const key = saving === "failed" && !isKept ? "failedUnkept" : saving;
  const text = t(`saving.${key}`, { version, problem });
  return (
    <Tooltip label={text}>
      <div className={styles.state} data-state={saving} role="status">
        <Icon name={ICONS[saving]} size={14} />
        <span>{text}</span>
      </div>
    </Tooltip>
  );
}
