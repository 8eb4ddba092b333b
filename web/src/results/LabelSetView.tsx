/** What an evaluation found where a picture may have several labels: figures, and each label's own. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { fixed, numberIn, percent } from "../i18n/numbers";
import type { Evaluation, LabelRow } from "./evaluation";
import { FigureList } from "./FigureList";
import styles from "./results.module.css";

interface LabelSetViewProps {
  evaluation: Evaluation;
  labels: LabelRow[];
  /** What leads further, on top. */
  ways: ReactNode;
}

export function LabelSetView({ evaluation, labels, ways }: LabelSetViewProps) {
  const { t } = useTranslation();
  const exact = evaluation.figures.find(([name]) => name === "Exact_Match")?.[1];
  return (
    <div className={styles.results}>
      <header className={styles.top}>
        <div className={styles.headline}>
          {typeof exact === "number" && (
            <strong>
              {t("labelSets.exact", { value: percent(exact), count: evaluation.images })}
            </strong>
          )}
        </div>
        {ways}
      </header>
      <p className="quiet">{t("labelSets.note")}</p>
      <section>
        <h3>{t("labelSets.perLabel")}</h3>
        <LabelTable labels={labels} />
      </section>
      <section>
        <h3>{t("evaluation.figures")}</h3>
        <FigureList figures={evaluation.figures} />
      </section>
    </div>
  );
}

function LabelTable({ labels }: { labels: LabelRow[] }) {
  const { t } = useTranslation();
  const rows = [...labels].sort((a, b) => (a.averagePrecision ?? 2) - (b.averagePrecision ?? 2));
  const titles = [
    t("evaluation.support"),
    t("labelSets.averagePrecision"),
    t("labelSets.threshold"),
    t("evaluation.precision"),
    t("evaluation.recall"),
    t("evaluation.f1"),
    t("labelSets.rocAuc"),
  ];
  return (
    <div className={styles.scroll}>
      <table className={`table ${styles.classes}`}>
        <thead>
          <tr>
            <th>{t("labelSets.label")}</th>
            {titles.map((title) => (
              <th key={title} className="right">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label}>
              <td>{row.label}</td>
              <td className="right number">{numberIn(row.support)}</td>
              {valuesOf(row).map((value, index) => (
                <td key={titles[index + 1]} className="right number">
                  {value === null ? "–" : fixed(value, 3)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function valuesOf(row: LabelRow): (number | null)[] {
  return [row.averagePrecision, row.threshold, row.precision, row.recall, row.f1, row.rocAuc];
}
