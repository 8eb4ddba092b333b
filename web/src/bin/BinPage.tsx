/** The recycle bin: what was deleted in the page, to be restored or deleted for ever. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { deleteForEver, readBin, restore } from "../api/peopleQuestions";
import type { Binned } from "../api/types";
import { ago } from "../i18n/when";
import { Icon } from "../icons/Icon";
import { Problem } from "../people/Problem";
import styles from "../people/people.module.css";
import { RequestFailure } from "../runs/FailureCard";
import { Confirm } from "../shell/Confirm";
import { Message } from "../shell/Message";

const BIN = ["bin"];

export function BinPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { data, error } = useQuery({ queryKey: BIN, queryFn: readBin, staleTime: 0 });
  const [doomed, setDoomed] = useState<Binned | null>(null);
  const again = { onSettled: () => queries.invalidateQueries() }; // what came back is in other lists
  const back = useMutation({ mutationFn: (entry: string) => restore(entry), ...again });
  const remove = useMutation({ mutationFn: (entry: string) => deleteForEver(entry), ...again });
  const entries = data?.entries ?? [];
  if (data && entries.length === 0) {
    return <Message title={t("bin.empty")} text={t("bin.help", { count: data.kept_days })} />;
  }
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>{t("bin.title")}</h1>
      {data && <p className="quiet">{t("bin.help", { count: data.kept_days })}</p>}
      {error && <RequestFailure problem={error} />}
      <Problem problem={back.error ?? remove.error} />
      {data && (
        <table className="list">
          <thead>
            <tr>
              <th>{t("bin.name")}</th>
              <th className={styles.medium}>{t("bin.kind")}</th>
              <th className={styles.medium}>{t("bin.deleted")}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {entries.map((one) => (
              <tr key={one.id}>
                <td>
                  <span className={styles.strong}>{one.title || one.key}</span>
                  {one.title !== one.key && (
                    <div className={`quiet number ${styles.medium}`}>{one.key}</div>
                  )}
                </td>
                <td className={styles.medium}>{t(`bin.${one.kind}`)}</td>
                <td className={`quiet ${styles.medium}`}>
                  {t("bin.by", { when: ago(one.deleted), who: one.deleted_by })}
                </td>
                <td className={`${styles.actions} ${styles.stacked}`}>
                  <Button
                    leftSection={<Icon name="back" size={14} />}
                    loading={back.isPending && back.variables === one.id}
                    aria-label={t("bin.restoreOne", { name: one.title || one.key })}
                    onClick={() => back.mutate(one.id)}
                  >
                    {t("bin.restore")}
                  </Button>
                  <Button
                    aria-label={t("bin.deleteOne", { name: one.title || one.key })}
                    onClick={() => setDoomed(one)}
                  >
                    {t("bin.delete")}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Confirm
        isOpen={doomed !== null}
        title={t("bin.deleteTitle", { name: doomed?.title || doomed?.key })}
        text={t("bin.deleteText")}
        action={t("bin.delete")}
        onClose={() => setDoomed(null)}
        onConfirm={() => {
          if (doomed) remove.mutate(doomed.id);
          setDoomed(null);
        }}
      />
    </div>
  );
}
