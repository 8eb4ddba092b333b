/** The confusion matrix: every cell with pictures is a button that shows them. */
import { useTranslation } from "react-i18next";
import { numberIn } from "../i18n/numbers";
import { type Evaluation, shownClasses } from "./evaluation";
import type { Choice } from "./PictureGrid";
import styles from "./results.module.css";

interface MatrixProps {
  evaluation: Evaluation;
  chosen: Choice;
  onChoose: (label: string, scored: string) => void;
}

const MOST = 30;

export function Matrix({ evaluation, chosen, onChoose }: MatrixProps) {
  const { t } = useTranslation();
  const classes = shownClasses(evaluation, MOST);
  return (
    <div className={styles.scroll}>
      {classes.length < evaluation.classes.length && (
        <p className="quiet">
          {t("evaluation.someClasses", { count: classes.length, all: evaluation.classes.length })}
        </p>
      )}
      <table className={styles.matrix}>
        <thead>
          <tr>
            <th className={styles.corner}>
              <span>{t("evaluation.true")} ↓</span> <span>{t("evaluation.said")} →</span>
            </th>
            {classes.map((scored) => (
              <th key={scored} scope="col" title={scored}>
                <span>{scored}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((label) => {
            const row = evaluation.matrix[label] ?? {};
            const total = Object.values(row).reduce((sum, count) => sum + count, 0);
            return (
              <tr key={label}>
                <th scope="row" title={label}>
                  <span>{label}</span>
                </th>
                {classes.map((scored) => {
                  const count = row[scored] ?? 0;
                  const isRight = label === scored;
                  const words = isRight
                    ? t("evaluation.right", { true: label })
                    : t("evaluation.cell", { true: label, said: scored });
                  return (
                    <td key={scored}>
                      {count > 0 && (
                        <button
                          type="button"
                          className={styles.cell}
                          data-right={isRight || undefined}
                          style={{ "--share": total ? count / total : 0 } as React.CSSProperties}
                          aria-pressed={chosen.label === label && chosen.scored === scored}
                          aria-label={t("evaluation.counted", { what: words, count })}
                          title={words}
                          onClick={() => onChoose(label, scored)}
                        >
                          {numberIn(count)}
                        </button>
                      )}
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
