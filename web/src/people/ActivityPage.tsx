/** Who did what, for admins, the newest first. */
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { readActivity } from "../api/peopleQuestions";
import { locale } from "../i18n/numbers";
import { RequestFailure } from "../runs/FailureCard";
import styles from "./people.module.css";

export function ActivityPage() {
  const { t } = useTranslation();
  const list = useInfiniteQuery({
    queryKey: ["activity"],
    initialPageParam: 0,
    queryFn: ({ pageParam }) => readActivity(pageParam),
    getNextPageParam: (last, pages) =>
      last.more ? pages.reduce((sum, page) => sum + page.deeds.length, 0) : undefined,
    staleTime: 0,
  });
  const deeds = list.data?.pages.flatMap((page) => page.deeds) ?? [];
  const when = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" });
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>{t("activity.title")}</h1>
      <p className="quiet">{t("activity.help")}</p>
      {list.error && <RequestFailure problem={list.error} />}
      {list.isSuccess && (
        <table className="list">
          <thead>
            <tr>
              <th>{t("activity.when")}</th>
              <th>{t("activity.who")}</th>
              <th>{t("activity.what")}</th>
              <th className={styles.medium}>{t("activity.on")}</th>
              <th className={styles.medium}>{t("activity.address")}</th>
            </tr>
          </thead>
          <tbody>
            {deeds.map((deed, place) => (
              <tr key={place}>
                <td className="number">{when.format(deed.time * 1000)}</td>
                <td>{deed.who}</td>
                <td>
                  {t(`deed.${deed.what}`, { defaultValue: deed.what })}
                  {deed.outcome !== "done" && (
                    <span className={styles.refused}>
                      {" "}
                      {t("activity.refused", { status: deed.outcome })}
                    </span>
                  )}
                </td>
                <td className={`${styles.medium} ${styles.long}`}>{deed.on}</td>
                <td className={`number ${styles.medium}`}>{deed.address}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {list.hasNextPage && (
        <Button onClick={() => void list.fetchNextPage()} loading={list.isFetchingNextPage} mt="md">
          {t("activity.more")}
        </Button>
      )}
    </div>
  );
}
