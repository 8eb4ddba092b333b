/** A picture of an evaluation with words below it; it opens why the model said so. */
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { addressOf } from "../api/runQuestions";
import styles from "./results.module.css";

interface PictureCardProps {
  run: string;
  node: string;
  row: number;
  file: string;
  onOpen?: (() => void) | undefined;
  children: ReactNode;
}

export function PictureCard({ run, node, row, file, onOpen, children }: PictureCardProps) {
  const { t } = useTranslation();
  const [isBroken, setBroken] = useState(false);
  const picture = isBroken ? (
    <span className={`${styles.broken} quiet`}>{t("evaluation.noPicture")}</span>
  ) : (
    <img
      src={addressOf.thumbnail(run, node, row, 240)}
      alt={file}
      title={file}
      loading="lazy"
      onError={() => setBroken(true)}
    />
  );
  return (
    <li className={styles.picture} data-row={row}>
      {onOpen ? (
        <button
          type="button"
          className={styles.open}
          aria-label={
            isBroken ? `${file}: ${t("evaluation.noPicture")}` : t("explain.open", { file })
          }
          onClick={onOpen}
        >
          {picture}
        </button>
      ) : (
        picture
      )}
      <div className={styles.caption}>{children}</div>
    </li>
  );
}
