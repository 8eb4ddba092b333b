/** The figures of an evaluation by their names. */
import { fromServer } from "../i18n/fromServer";
import { fixed } from "../i18n/numbers";
import styles from "./results.module.css";

interface FigureListProps {
  figures: readonly (readonly [name: string, value: number | null])[];
}

export function FigureList({ figures }: FigureListProps) {
  return (
    <dl className={styles.figures}>
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{fromServer(name).replaceAll("_", " ")}</dt>
          <dd className="number">{value === null ? "–" : fixed(value, 4)}</dd>
        </div>
      ))}
    </dl>
  );
}
