/** Sets the language up. Every text that a person reads comes from here or from the server. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type { Label } from "../graph/change";
import { en } from "./en";

export const i18n = i18next.createInstance();

void i18n.use(initReactI18next).init({
  lng: "en",
  fallbackLng: "en",
  resources: { en: { translation: en } },
  interpolation: { escapeValue: false },
});

/** Returns a label as a person reads it. */
export function words(label: Label): string {
  return i18n.t(label.key, { ...label.values });
}
