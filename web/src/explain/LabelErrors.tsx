/** Pictures whose label is probably wrong, the most suspicious first; each opens why. */
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { percent } from "../i18n/numbers";
import type { Suspicions } from "../results/evaluation";
import { PictureCard } from "../results/PictureCard";
import styles from "../results/results.module.css";
import type { Explained } from "./PicturePanel";

interface LabelErrorsProps {
  run: string;
  node: string;
  found: Suspicions | null;
  /** Whether the model has learned from these very pictures. */
  hasLearned: boolean;
  /** Absent where no model is known. */
  onExplain?: ((explained: Explained) => void) | undefined;
}

const PAGE = 24;

export function LabelErrors({ run, node, found, hasLearned, onExplain }: LabelErrorsProps) {
  const { t } = useTranslation();
  const [count, setCount] = useState(PAGE);
  return (
    <section>
      <h3>{t("labelErrors.title")}</h3>
      {found === null && <p className="quiet">{t("labelErrors.older")}</p>}
      {found?.suspicious === 0 && <p className="quiet">{t("labelErrors.none")}</p>}
      {found && found.suspicious > 0 && (
        <p>{t("labelErrors.found", { count: found.suspicious, all: found.images })}</p>
      )}
      {found && (
        <p className="quiet">
          {hasLearned ? t("labelErrors.learned") : t("labelErrors.outOfSample")}
          {found.listed.length > found.suspicious && ` ${t("labelErrors.lessSure")}`}
        </p>
      )}
      <ul className={styles.grid} aria-label={t("labelErrors.title")}>
        {found?.listed.slice(0, count).map((one) => (
          <PictureCard
            key={one.row}
            run={run}
            node={node}
            row={one.row}
            file={one.file}
            onOpen={
              onExplain &&
              (() => onExplain({ picture: { row: one.row }, file: one.file, label: one.label }))
            }
          >
            <span data-wrong>
              {t("labelErrors.looksLike", {
                label: one.suggested,
                value: percent(one.suggestedProbability),
              })}
            </span>
            <span className="quiet">
              {t("labelErrors.labelled", {
                label: one.label,
                value: percent(one.labelProbability),
              })}
            </span>
          </PictureCard>
        ))}
      </ul>
      {found && found.listed.length > count && (
        <Button onClick={() => setCount(count + PAGE)}>{t("labelErrors.more")}</Button>
      )}
      {found && count >= found.listed.length && found.suspicious > found.listed.length && (
        <p className="quiet">{t("labelErrors.shown", { count: found.listed.length })}</p>
      )}
    </section>
  );
}
