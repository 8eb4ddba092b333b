/** One sentence about a stroke that was refused, until the next one that was not. It takes no focus. */
import { ActionIcon } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useDraft } from "../drafts/store";
import { words } from "../i18n";
import { Icon } from "../icons/Icon";
import styles from "./Notice.module.css";
import { setTools, useTools } from "./tools";

const SHOWN_MS = 9_000;

export function Notice() {
  const { t } = useTranslation();
  const notice = useTools((tools) => tools.notice);
  useEffect(() => {
    if (!notice) return;
    const timer = window.setTimeout(() => setTools({ notice: null }), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [notice]);
  useEffect(
    () =>
      useDraft.subscribe((state, before) => {
        if (state.drawing !== before.drawing) setTools({ notice: null });
      }),
    [],
  );
  return (
    <div className={styles.place} role="status" aria-live="polite">
      {notice && (
        <div className={styles.notice}>
          <Icon name="unlink" />
          <span>{words(notice)}</span>
          <ActionIcon size={24} aria-label={t("close")} onClick={() => setTools({ notice: null })}>
            <Icon name="close" size={14} />
          </ActionIcon>
        </div>
      )}
    </div>
  );
}
