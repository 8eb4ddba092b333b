/** The figures of each class, in any order of its columns; a class opens its pictures. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { fixed, numberIn } from "../i18n/numbers";
import type { ClassRow, Evaluation } from "./evaluation";
import styles from "./results.module.css";

interface ClassTableProps {
  evaluation: Evaluation;
  onChoose: (label: string) => void;
}

type Column = "label" | "support" | "precision" | "recall" | "f1";
const COLUMNS: Column[] = ["label", "support", "precision", "recall", "f1"];

export function ClassTable({ evaluation, onChoose }: ClassTableProps) {
  const { t } = useTranslation();
  const [column, setColumn] = useState<Column | null>(null);
  const [isDown, setDown] = useState(false);
  const rows = column === null ? evaluation.perClass : ordered(evaluation.perClass, column, isDown);
  const titles: Record<Column, string> = {
    label: t("evaluation.class"),
    support: t("evaluation.support"),
    precision: t("evaluation.precision"),
    recall: t("evaluation.recall"),
    f1: t("evaluation.f1"),
  };
  const choose = (one: Column) => {
    setDown(column === one ? !isDown : false);
    setColumn(one);
  };
  return (
    <div className={styles.scroll}>
      <table className={`table ${styles.classes}`}>
        <thead>
          <tr>
            {COLUMNS.map((one) => (
              <th
                key={one}
                aria-sort={column === one ? (isDown ? "descending" : "ascending") : "none"}
                className={one === "label" ? undefined : "right"}
              >
                <button type="button" className={styles.plain} onClick={() => choose(one)}>
                  {titles[one]}
                  {column === one && (isDown ? " ↓" : " ↑")}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label}>
              <td>
                <button type="button" className={styles.plain} onClick={() => onChoose(row.label)}>
                  {row.label}
                </button>
              </td>
              <td className="right number">{numberIn(row.support)}</td>
              {([row.precision, row.recall, row.f1] as const).map((value, index) => (
                <td key={COLUMNS[index + 2]} className="right number">
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

/** Rows in an order; those without a value stand last in both directions. */
function ordered(rows: readonly ClassRow[], column: Column, isDown: boolean): ClassRow[] {
  const sign = isDown ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a[column], b[column]];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    if (typeof one === "string" || typeof other === "string") {
      return sign * String(one).localeCompare(String(other), undefined, { numeric: true });
    }
    return sign * (one - other);
  });
}
