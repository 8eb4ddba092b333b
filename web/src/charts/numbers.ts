/** Numbers as short as they can be without losing what they say. */
import { numberIn } from "../i18n/numbers";
import { sizeText } from "../i18n/when";

export function numberText(value: number, unit: string): string {
  if (!Number.isFinite(value)) return String(value);
  if (unit === "bytes") return sizeText(value);
  if (unit === "steps") return numberIn(Math.round(value));
  const size = Math.abs(value);
  const text =
    size === 0
      ? "0"
      : size < 0.001 || size >= 1e6
        ? numberIn(value, { notation: "scientific", maximumFractionDigits: 2 }).toLowerCase()
        : numberIn(Number(value.toPrecision(4)), { useGrouping: false });
  return unit === "s" ? `${text} s` : text;
}
