/** Numbers as short as they can be without losing what they say. */
import { sizeText } from "../i18n/when";

export function numberText(value: number, unit: string): string {
  if (!Number.isFinite(value)) return String(value);
  if (unit === "bytes") return sizeText(value);
  if (unit === "steps") return Math.round(value).toLocaleString("en");
  const size = Math.abs(value);
  const text =
    size === 0
      ? "0"
      : size < 0.001 || size >= 1e6
        ? value.toExponential(2)
        : String(Number(value.toPrecision(4)));
  return unit === "s" ? `${text} s` : text;
}
