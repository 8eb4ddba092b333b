/** The most probable classes as bars; the true one is marked. */
import { useTranslation } from "react-i18next";
import type { Guess } from "../api/types";
import { percent } from "../i18n/numbers";
import styles from "./explain.module.css";

interface GuessBarsProps {
  guesses: readonly Guess[];
  /** The true class, where it is known. */
  label: string | null;
}

export function GuessBars({ guesses, label }: GuessBarsProps) {
  const { t } = useTranslation();
  return (
    <ol className={styles.guesses}>
      {guesses.map((guess) => (
        <li key={guess.label} data-true={guess.label === label || undefined}>
          <span className={styles.guess}>
            {guess.label}
            {guess.label === label && <span className="quiet"> ({t("explain.truth")})</span>}
          </span>
          <span className="number">{percent(guess.probability)}</span>
          <span
            className={styles.bar}
            style={{ "--share": guess.probability } as React.CSSProperties}
          />
        </li>
      ))}
    </ol>
  );
}
