/** Numbers as people of the page's language write them. */
import { i18n } from ".";
import { localeOf } from "./locale";

export function locale(): string {
  return localeOf(i18n.language);
}

const SMALL = 1e-4;

export function numberIn(value: number, options: Intl.NumberFormatOptions = {}): string {
  const isTiny = value !== 0 && Math.abs(value) < SMALL;
  const all = { maximumFractionDigits: 20, ...(isTiny && { notation: "scientific" as const }) };
  return new Intl.NumberFormat(locale(), { ...all, ...options }).format(value);
}

/** With so many digits behind the decimal mark, be they zeros. */
export function fixed(value: number, digits: number): string {
  return numberIn(value, {
    notation: "standard",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A fraction in percent, with a space that does not break before the sign. */
export function percent(fraction: number): string {
  return `${fixed(100 * fraction, 1)}\u00a0%`;
}

/** What stands between whole numbers and fractions, as people type it. */
export function decimalMark(): string {
  const parts = new Intl.NumberFormat(locale()).formatToParts(0.5);
  return parts.find((part) => part.type === "decimal")?.value ?? ".";
}
