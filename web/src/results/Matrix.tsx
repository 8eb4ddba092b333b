/** The confusion matrix: every cell with pictures is a button that shows them. */
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { numberIn } from "../i18n/numbers";
import { type Evaluation, shownClasses } from "./evaluation";
import { MatrixMap } from "./MatrixMap";
import mapStyles from "./matrixMap.module.css";
import type { Choice } from "./PictureGrid";
import styles from "./results.module.css";
import type { MatrixPart } from "./squares";

interface MatrixProps {
  evaluation: Evaluation;
  chosen: Choice;
  onChoose: (label: string, scored: string) => void;
}

const MOST = 30;

export function Matrix({ evaluation, chosen, onChoose }: MatrixProps) {
  const { t } = useTranslation();
  const [part, setPart] = useState<MatrixPart | null>(null);
  const worst = useMemo(() => shownClasses(evaluation, MOST), [evaluation]);
  const { classes } = evaluation;
  const isLarge = classes.length > MOST;
  const rows = part ? classes.slice(part.row, part.row + MOST) : worst;
  const columns = part ? classes.slice(part.column, part.column + MOST) : worst;
  return (
    <>
      {isLarge && <MatrixMap evaluation={evaluation} part={part} shown={MOST} onPart={setPart} />}
      <p className="quiet" hidden={!isLarge}>
        {part
          ? t("matrixMap.around", {
              rows: rows.length,
              row: rows[0],
              columns: columns.length,
              column: columns[0],
            })
          : t("evaluation.someClasses", { count: worst.length, all: classes.length })}
      </p>
      <MatrixTable
        evaluation={evaluation}
        rows={rows}
        columns={columns}
        chosen={chosen}
        onChoose={onChoose}
      />
      {isLarge && <Pairs evaluation={evaluation} onChoose={onChoose} />}
    </>
  );
}

function Pairs({ evaluation, onChoose }: Omit<MatrixProps, "chosen">) {
  const { t } = useTranslation();
  if (evaluation.pairs.length === 0) return null;
  return (
    <section>
      <h3>{t("matrixMap.pairs")}</h3>
      <ol className={mapStyles.pairs}>
        {evaluation.pairs.map(({ label, scored, images }) => (
          <li key={`${label}\n${scored}`}>
            <button type="button" className={styles.plain} onClick={() => onChoose(label, scored)}>
              {t("matrixMap.pair", { true: label, said: scored, count: images })}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

interface MatrixTableProps extends MatrixProps {
  rows: readonly string[];
  columns: readonly string[];
}

function MatrixTable({ evaluation, rows, columns, chosen, onChoose }: MatrixTableProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.scroll}>
      <table className={styles.matrix}>
        <thead>
          <tr>
            <th className={styles.corner}>
              <span>{t("evaluation.true")} ↓</span> <span>{t("evaluation.said")} →</span>
            </th>
            {columns.map((scored) => (
              <th key={scored} scope="col" title={scored}>
                <span>{scored}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((label) => {
            const row = evaluation.matrix[label] ?? {};
            const total = Object.values(row).reduce((sum, count) => sum + count, 0);
            return (
              <tr key={label}>
                <th scope="row" title={label}>
                  <span>{label}</span>
                </th>
                {columns.map((scored) => {
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
