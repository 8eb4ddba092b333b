/** Whether a value is of its parameter's kind and range, in words, before anything is sent. */
import type { Parameter } from "./catalogue";
import type { Label } from "./change";
import type { Json } from "./json";

/** Returns what is wrong with a value, or null. */
export function fault(parameter: Parameter, value: Json): Label | null {
  if (value === null) return parameter.optional ? null : { key: "fault.missing" };
  switch (parameter.kind) {
    case "int":
    case "float":
      return numberFault(parameter, value);
    case "choice":
      return parameter.choices.includes(value) ? null : { key: "fault.choice" };
    case "bool":
      return typeof value === "boolean" ? null : { key: "fault.bool" };
    case "list":
      return Array.isArray(value) ? null : { key: "fault.list" };
    default:
      return typeof value === "string" ? null : { key: "fault.text" };
  }
}

function numberFault(parameter: Parameter, value: Json): Label | null {
  if (typeof value === "string" && parameter.words.includes(value)) return null;
  if (typeof value !== "number") {
    return { key: parameter.kind === "int" ? "fault.int" : "fault.float" };
  }
  if (parameter.kind === "int" && !Number.isInteger(value)) return { key: "fault.int" };
  const { minimum, maximum, exclusive } = parameter;
  const isLow =
    minimum !== null && (exclusive.includes("minimum") ? value <= minimum : value < minimum);
  const isHigh =
    maximum !== null && (exclusive.includes("maximum") ? value >= maximum : value > maximum);
  if (!isLow && !isHigh) return null;
  return { key: "fault.range", values: { value, range: parameter.range_text } };
}

/**
 * Returns the value that a person typed. What is no number stays the text it is: it is kept and found fault with,
 * not lost.
 *
 * @param decimal What a person types before a fraction.
 */
export function valueOfText(parameter: Parameter, text: string, decimal = "."): Json | undefined {
  const clean = text.trim();
  if (clean === "") return parameter.optional ? undefined : clean;
  if (parameter.kind === "int" || parameter.kind === "float") {
    const plain = clean.replace(decimal, ".");
    const number = Number(plain);
    return /^[-+]?(\d|\.\d)/.test(plain) && Number.isFinite(number) ? number : clean;
  }
  if (parameter.kind === "list") return clean.split(/\s*,\s*/).filter(Boolean);
  return text;
}

export function textOfValue(value: Json | undefined, decimal = "."): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value).replace(".", decimal);
  return Array.isArray(value) ? value.join(", ") : String(value);
}
