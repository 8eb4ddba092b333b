/**
 * What the server says of components, targets and templates, in the page's language.
 *
 * It speaks English; its texts are looked up as they are (docs/decisions/0026-languages.md), numbers in them
 * apart. A text that nobody translated, such as that of an extension, stays as it came.
 */
import { i18n } from ".";
import { numberIn } from "./numbers";

export function fromServer(text: string): string {
  const known = texts();
  if (known === undefined || text === "") return text;
  // Object.hasOwn, because every object has a "constructor".
  if (Object.hasOwn(known, text)) return known[text] ?? text;
  const found = text.match(/\d+/g) ?? [];
  const pattern = found.length > 0 ? known[text.replace(/\d+/g, "#")] : undefined;
  let next = 0;
  return pattern?.replace(/#/g, () => found[next++] ?? "") ?? text;
}

const SPOKEN = new Set(["title", "help", "category", "section", "unit"]);

/** Returns a value of the server with the texts in it that people read. Names for programs stay. */
export function translated<Value>(value: Value): Value {
  return texts() === undefined ? value : (deep(value) as Value);
}

function deep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deep);
  if (typeof value !== "object" || value === null) return value;
  const found = Object.entries(value).map(([key, inner]) => {
    if (typeof inner !== "string") return [key, deep(inner)];
    return [key, SPOKEN.has(key) ? fromServer(inner) : inner];
  });
  const whole = Object.fromEntries(found);
  return whole.range_text ? { ...whole, range_text: rangeText(whole) } : whole;
}

interface Range {
  readonly minimum?: number | null;
  readonly maximum?: number | null;
  readonly exclusive?: readonly string[];
}

/** Returns the range of a parameter in words, for languages other than the server's. */
function rangeText({ minimum, maximum, exclusive = [] }: Range): string {
  const limit = (value: number | null | undefined, name: string, sign: string, open: string) =>
    typeof value === "number" ? `${exclusive.includes(name) ? open : sign} ${numberIn(value)}` : "";
  const limits = [limit(minimum, "minimum", "≥", ">"), limit(maximum, "maximum", "≤", "<")];
  return limits.filter(Boolean).join(` ${fromServer("and")} `);
}

function texts(): Readonly<Record<string, string>> | undefined {
  return i18n.getResourceBundle(i18n.language, "server");
}
