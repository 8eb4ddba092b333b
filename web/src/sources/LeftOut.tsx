/** How many files are left out and why; and which, when a person wants to see them. */
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { readLeftOut } from "../api/questions";
import type { SourceInfo } from "../api/types";
import { numberIn } from "../i18n/numbers";
import { RequestFailure } from "../runs/FailureCard";
import styles from "./sources.module.css";

export function LeftOut({ source }: { source: SourceInfo }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  if (source.left_out === 0) return null;
  return (
    <div className={styles.leftOut}>
      <strong>{t("source.leftOut", { count: source.left_out })}</strong>
      <ul>
        {Object.entries(source.left_out_reasons).map(([reason, count]) => (
          <li key={reason}>
            <span className="number">{numberIn(count)}:</span> {reason}
          </li>
        ))}
      </ul>
      <Button size="compact-xs" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? t("source.fewer") : t("source.files")}
      </Button>
      {isOpen && <Files path={source.path} />}
    </div>
  );
}

function Files({ path }: { path: string }) {
  const { t } = useTranslation();
  const found = useInfiniteQuery({
    // Below the key of the description: who looks again gets this anew, too.
    queryKey: ["description", path, "left-out"],
    queryFn: ({ pageParam, signal }) => readLeftOut(path, pageParam, signal),
    initialPageParam: 0,
    getNextPageParam: (last, all) => {
      const shown = all.reduce((sum, page) => sum + page.rows.length, 0);
      return last.rows.length > 0 && shown < last.total ? shown : undefined;
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const rows = found.data?.pages.flatMap((page) => page.rows) ?? [];
  return (
    <>
      {found.error && <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />}
      <ul className={styles.files} lang="en">
        {rows.map((one) => (
          <li key={`${one.file} ${one.reason}`}>
            {one.file} {one.reason}. <span className="quiet">{one.hint}</span>
          </li>
        ))}
      </ul>
      {(found.hasNextPage || found.isPending) && (
        <Button
          size="compact-xs"
          loading={found.isFetching}
          onClick={() => void found.fetchNextPage()}
        >
          {t("source.moreFiles", { shown: rows.length })}
        </Button>
      )}
    </>
  );
}
