/** The files that were left out, each with its reason. */
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Pictures } from "../api/dataQuestions";
import type { ImagesInfo } from "../api/types";
import { numberIn } from "../i18n/numbers";
import { RequestFailure } from "../runs/FailureCard";
import styles from "./data.module.css";
import { useImagesLeftOut } from "./queries";

export function LeftOutList({ which, images }: { which: Pictures; images: ImagesInfo }) {
  const { t } = useTranslation();
  const found = useImagesLeftOut(which);
  const rows = found.data?.pages.flatMap((page) => page.rows) ?? [];
  if (images.left_out === 0) return <p className="quiet">{t("leftOut.none")}</p>;
  return (
    <div className={styles.column}>
      <p className="number">{t("leftOut.lead", { count: images.left_out })}</p>
      <ul>
        {Object.entries(images.left_out_reasons).map(([reason, count]) => (
          <li key={reason}>
            <span className="number">{numberIn(count)}:</span> <span lang="en">{reason}</span>
          </li>
        ))}
      </ul>
      {found.error && <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />}
      <table className={`table ${styles.wrapping}`}>
        <thead>
          <tr>
            <th>{t("leftOut.file")}</th>
            <th>{t("leftOut.reason")}</th>
            <th>{t("leftOut.hint")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.file} ${row.reason}`}>
              <td>{row.file}</td>
              <td lang="en">{row.reason}</td>
              <td className="quiet" lang="en">
                {row.hint}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.hasNextPage && (
        <Button loading={found.isFetching} onClick={() => void found.fetchNextPage()}>
          {t("leftOut.more")}
        </Button>
      )}
    </div>
  );
}
