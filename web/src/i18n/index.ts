/** Sets the texts up. Every text that a person reads comes from here or from the server. */
import i18next, { type FormatterModule } from "i18next";
import { initReactI18next } from "react-i18next";
import type { Label } from "../graph/change";
import { en } from "./en";
import { localeOf } from "./locale";

export const i18n = i18next.createInstance();

/** Writes every number in a text as people of the language write numbers. */
const numbers: FormatterModule = {
  type: "formatter",
  init: () => {},
  add: () => {},
  addCached: () => {},
  format: (value, _, language = "en") =>
    typeof value === "number"
      ? new Intl.NumberFormat(localeOf(language), { maximumFractionDigits: 20 }).format(value)
      : value,
};

void i18n
  .use(initReactI18next)
  .use(numbers)
  .init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false, alwaysFormat: true },
  });

/** Returns a label as a person reads it. */
export function words(label: Label): string {
  return i18n.t(label.key, { ...label.values });
}
