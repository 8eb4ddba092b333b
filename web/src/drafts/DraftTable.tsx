/** The pipelines that were drawn, newest first. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { shareDraft } from "../api/peopleQuestions";
import { deleteDraft } from "../api/questions";
import type { DraftRow } from "../api/types";
import { ago } from "../i18n/when";
import { Icon } from "../icons/Icon";
import { ShareSwitch } from "../people/ShareSwitch";
import { useSession } from "../people/useSession";
import { Confirm } from "../shell/Confirm";
import { Link } from "../shell/Link";
import styles from "./DraftsView.module.css";
import { forget } from "./memory";

interface DraftTableProps {
  drafts: readonly DraftRow[];
  /** Whether these are all that there are. */
  isAll: boolean;
  onProblem: (message: string) => void;
}

export function DraftTable({ drafts, isAll, onProblem }: DraftTableProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [doomed, setDoomed] = useState<DraftRow | null>(null);
  const remove = async (draft: DraftRow) => {
    setDoomed(null);
    try {
      await deleteDraft(draft.id);
      await forget(draft.id);
    } catch (why) {
      onProblem(why instanceof Error ? why.message : String(why));
    }
    await queries.invalidateQueries({ queryKey: ["drafts"] });
  };
  const { hasPeople, canEdit } = useSession();
  if (drafts.length === 0) {
    return <p className="quiet">{t(isAll && canEdit ? "drafts.none" : "drafts.noneHere")}</p>;
  }
  return (
    <>
      <table className="list">
        <thead>
          <tr>
            <th>{t("drafts.name")}</th>
            <th className={styles.figures}>{t("drafts.nodes")}</th>
            <th>{t("drafts.saved")}</th>
            {hasPeople && <th>{t("sharing.shared")}</th>}
            <td />
          </tr>
        </thead>
        <tbody>
          {drafts.map((draft) => (
            <tr key={draft.id}>
              <td>
                <Link to={{ view: "pipeline", id: draft.id }} className={styles.link}>
                  {draft.name || draft.id}
                </Link>
                {draft.is_newer && <span className="quiet"> {t("drafts.newer")}</span>}
              </td>
              <td className={styles.figures}>{draft.num_nodes}</td>
              <td className="quiet">
                {ago(draft.saved)} {t("drafts.by", { who: draft.saved_by })}
              </td>
              {hasPeople && (
                <td>
                  <ShareSwitch
                    ownership={draft}
                    onShare={shareDraft(draft.id)}
                    onDone={() => queries.invalidateQueries({ queryKey: ["drafts"] })}
                    label={t("sharing.one", { name: draft.name || draft.id })}
                  />
                </td>
              )}
              <td className={styles.end}>
                {draft.is_mine && (
                  <DeleteButton name={draft.name} onPress={() => setDoomed(draft)} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Confirm
        isOpen={doomed !== null}
        title={t("drafts.deleteTitle")}
        text={t("drafts.deleteText", { name: doomed?.name })}
        action={t("drafts.deleteDo")}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed && void remove(doomed)}
      />
    </>
  );
}

function DeleteButton({ name, onPress }: { name: string; onPress: () => void }) {
  const { t } = useTranslation();
  const label = t("drafts.delete", { name });
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={onPress}>
        <Icon name="delete" />
      </ActionIcon>
    </Tooltip>
  );
}
