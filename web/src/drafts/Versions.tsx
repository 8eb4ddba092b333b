/** The versions of the open draft: look what was done in each, restore one, name the present one. */
import { Button, Modal, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { readVersion, readVersions } from "../api/questions";
import type { VersionRow } from "../api/types";
import { restore } from "../graph/restore";
import { ago } from "../i18n/when";
import { saveOnce } from "./saving";
import { run, useDraft } from "./store";
import { VersionCompare } from "./VersionCompare";
import styles from "./Versions.module.css";

export function Versions({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const draft = useDraft((state) => state.draft);
  const version = useDraft((state) => state.version);
  const [isComparing, setComparing] = useState(false);
  const { data: versions = [], error } = useQuery({
    queryKey: ["versions", draft, version],
    queryFn: () => readVersions(draft),
  });
  const take = async (row: VersionRow) => {
    const earlier = await readVersion(draft, row.version);
    const label = { key: "command.restore", values: { version: row.version } };
    run(restore(useDraft.getState().drawing.pipeline, earlier.pipeline, label));
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title={t("versions.title")} size="lg">
      <NameVersion />
      {error && <p>{error.message}</p>}
      {versions.length > 1 && (
        <Button onClick={() => setComparing(!isComparing)} aria-expanded={isComparing}>
          {t("versionCompare.open")}
        </Button>
      )}
      {isComparing && <VersionCompare draft={draft} versions={versions} />}
      <ol className={styles.versions}>
        {versions.map((row) => (
          <li key={row.version} className={styles.version}>
            <span className="number">{row.version}</span>
            <div>
              {row.label && <strong>{row.label}</strong>}
              <div>{row.commands.join(" · ") || t("versions.first")}</div>
              <div className="quiet">
                {t("versions.by", { when: ago(row.saved), who: row.saved_by })}
              </div>
            </div>
            {row.version === version && <span className="quiet">{t("versions.current")}</span>}
            {row.version !== version && !row.is_newer && (
              <Button onClick={() => take(row)}>{t("versions.restore")}</Button>
            )}
          </li>
        ))}
      </ol>
    </Modal>
  );
}

function NameVersion() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [text, setText] = useState("");
  const keep = async (event: React.FormEvent) => {
    event.preventDefault();
    const state = useDraft.getState();
    if (text.trim() === "" || state.theirs) return;
    await saveOnce(state, { label: text.trim() });
    setText("");
    await queries.invalidateQueries({ queryKey: ["versions"] });
  };
  return (
    <form className={styles.naming} onSubmit={keep}>
      <TextInput
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder={t("versions.name")}
        aria-label={t("versions.name")}
      />
      <Button type="submit" disabled={text.trim() === ""}>
        {t("versions.keep")}
      </Button>
    </form>
  );
}
