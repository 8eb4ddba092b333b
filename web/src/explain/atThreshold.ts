/** Precision, recall and F1 of each class at a threshold, from counts. */
import type { ClassThresholds, Thresholds } from "../api/types";

export interface AtThreshold {
  label: string;
  support: number;
  reached: number;
  /** Null where nothing reaches the threshold. */
  precision: number | null;
  /** Null for a class without pictures. */
  recall: number | null;
  f1: number | null;
}

/** Returns the place of the highest threshold that is not above the wanted one. */
export function placeOf(thresholds: readonly number[], wanted: number): number {
  const above = thresholds.findIndex((one) => one > wanted + 1e-9);
  return above < 0 ? thresholds.length - 1 : Math.max(0, above - 1);
}

export function atThreshold(one: ClassThresholds, place: number): AtThreshold {
  const found = one.found[place] ?? 0;
  const reached = one.reached[place] ?? 0;
  const both = reached + one.support;
  return {
    label: one.label,
    support: one.support,
    reached,
    precision: reached > 0 ? found / reached : null,
    recall: one.support > 0 ? found / one.support : null,
    f1: both > 0 ? (2 * found) / both : null,
  };
}

/** Means over the classes that have pictures; a class that nothing reaches counts as 0 in precision. */
export function meansAt(found: Thresholds, place: number): { precision: number; recall: number } {
  const rows = found.classes.filter((one) => one.support > 0).map((one) => atThreshold(one, place));
  const mean = (values: number[]) =>
    values.length > 0 ? values.reduce((sum, one) => sum + one, 0) / values.length : 0;
  return {
    precision: mean(rows.map((one) => one.precision ?? 0)),
    recall: mean(rows.map((one) => one.recall ?? 0)),
  };
}

/** The curve of a class as points of an SVG polyline, 0 to 100 from left to right and from the top down. */
export function curveOf(
  one: ClassThresholds,
  thresholds: readonly number[],
  value: "precision" | "recall",
): string {
  return thresholds
    .flatMap((threshold, place) => {
      const height = atThreshold(one, place)[value];
      return height === null
        ? []
        : [`${(100 * threshold).toFixed(1)},${(100 - 100 * height).toFixed(1)}`];
    })
    .join(" ");
}
