/** The uploads that one sees, where several people share the studio: taken, shared, and deleted. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { shareUpload } from "../api/peopleQuestions";
import { deleteUpload } from "../api/uploadQuestions";
import { Icon } from "../icons/Icon";
import { Problem } from "../people/Problem";
import { ShareSwitch } from "../people/ShareSwitch";
import { useSession } from "../people/useSession";
import styles from "./uploads.module.css";
import { UPLOADS, useUploads } from "./useUploads";

export function FinishedUploads({ onTake }: { onTake: (path: string) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { hasPeople } = useSession();
  const { data } = useUploads();
  const again = () => queries.invalidateQueries({ queryKey: UPLOADS });
  const remove = useMutation({ mutationFn: deleteUpload, onSettled: again });
  if (!hasPeople || !data || data.finished.length === 0) return null;
  return (
    <section aria-label={t("uploads.title")}>
      <h2 className={styles.finishedTitle}>{t("uploads.title")}</h2>
      <Problem problem={remove.error} />
      <ul className={styles.finished}>
        {data.finished.map((one) => (
          <li key={one.name} className={styles.finishedRow}>
            <button type="button" className={styles.take} onClick={() => onTake(one.path)}>
              <Icon name="file" />
              <span className={styles.name}>{one.name}</span>
            </button>
            <ShareSwitch
              ownership={one}
              onShare={shareUpload(one.name)}
              onDone={again}
              label={t("sharing.one", { name: one.name })}
            />
            {one.is_mine && (
              <Tooltip label={t("uploads.delete", { name: one.name })}>
                <ActionIcon
                  size="sm"
                  aria-label={t("uploads.delete", { name: one.name })}
                  onClick={() => remove.mutate(one.name)}
                >
                  <Icon name="delete" />
                </ActionIcon>
              </Tooltip>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
