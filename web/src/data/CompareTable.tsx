/** Numbers before and after, with what changed. */
import { useTranslation } from "react-i18next";
import { numberIn } from "../i18n/numbers";
import styles from "./data.module.css";

interface CompareRow {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
}

interface CompareTableProps {
  title: string;
  /** What the first column holds. */
  name: string;
  digits: number;
  rows: readonly CompareRow[];
}

export function CompareTable({ title, name, digits, rows }: CompareTableProps) {
  const { t } = useTranslation();
  const text = (value: number | null, signDisplay: "auto" | "exceptZero" = "auto") =>
    value === null
      ? "–"
      : numberIn(value, {
          notation: "standard",
          minimumFractionDigits: digits,
          maximumFractionDigits: digits,
          signDisplay,
        });
  return (
    <section>
      <h2>{title}</h2>
      <div className={styles.scroll}>
        <table className={`table ${styles.wrapping}`}>
          <thead>
            <tr>
              <th>{name}</th>
              <th className="right">{t("beforeAfter.before")}</th>
              <th className="right">{t("beforeAfter.after")}</th>
              <th className="right">{t("beforeAfter.change")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <td>{row.name}</td>
                <td className="right number">{text(row.before)}</td>
                <td className="right number">{text(row.after)}</td>
                <td className="right number">
                  {text(
                    row.before === null || row.after === null ? null : row.after - row.before,
                    "exceptZero",
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
