/** Precision and recall of one class over the threshold, with the threshold that is chosen. */
import { useTranslation } from "react-i18next";
import type { ClassThresholds } from "../api/types";
import { curveOf } from "./atThreshold";
import styles from "./thresholds.module.css";

interface ThresholdCurveProps {
  one: ClassThresholds;
  thresholds: readonly number[];
  threshold: number;
}

export function ThresholdCurve({ one, thresholds, threshold }: ThresholdCurveProps) {
  const { t } = useTranslation();
  const title = t("thresholds.curve", { label: one.label });
  return (
    <figure className={styles.figure}>
      <figcaption>{title}</figcaption>
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label={title}>
        <path className={styles.grid} d="M0 50H100M50 0V100" />
        <line className={styles.chosen} x1={100 * threshold} x2={100 * threshold} y1={0} y2={100} />
        <polyline className={styles.recall} points={curveOf(one, thresholds, "recall")} />
        <polyline className={styles.precision} points={curveOf(one, thresholds, "precision")} />
      </svg>
      <div className={styles.legend}>
        <span data-curve="precision">{t("evaluation.precision")}</span>
        <span data-curve="recall">{t("evaluation.recall")}</span>
      </div>
    </figure>
  );
}
