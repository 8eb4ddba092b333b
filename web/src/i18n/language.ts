/** Which language the page speaks: the one that was chosen in this browser, or else the browser's own. */
import { i18n } from ".";

/** The languages that there are, each in its own words. */
export const LANGUAGES = { en: "English", fr: "Français" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "imageloom-language";

/** Texts of other languages than the first come when they are wanted. */
const LOADERS: Readonly<Record<Exclude<Language, "en">, () => Promise<Texts>>> = {
  fr: () => import("./french"),
};

interface Texts {
  readonly page: object;
  readonly server: Readonly<Record<string, string>>;
}

export function wantedLanguage(kept: string | null, browser: readonly string[]): Language {
  const known = [kept ?? "", ...browser].map((tag) => tag.split("-")[0] ?? "");
  return known.find(isLanguage) ?? "en";
}

function isLanguage(text: string): text is Language {
  return text in LANGUAGES;
}

/** Speaks the language that is wanted here, before anything is shown. */
export async function speakWanted(): Promise<void> {
  const wanted = wantedLanguage(kept(), navigator.languages);
  await speak(wanted).catch(() => speak("en")); // rather English than nothing
}

/** Speaks a language from now on, also when this browser comes again. */
export async function choose(language: Language): Promise<void> {
  await speak(language);
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // A browser that keeps nothing for pages asks for its own language again.
  }
}

export async function speak(language: Language): Promise<void> {
  if (language !== "en" && !i18n.hasResourceBundle(language, "translation")) {
    const { page, server } = await LOADERS[language]();
    i18n.addResourceBundle(language, "translation", withMany(page));
    i18n.addResourceBundle(language, "server", server);
  }
  await i18n.changeLanguage(language);
  if (typeof document !== "undefined") document.documentElement.lang = language;
}

/** A third form that some languages have for a million and more; written with digits it is as the second. */
function withMany(texts: object): object {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) => {
      if (typeof text === "object") return [[key, withMany(text)]];
      const other = [key, text];
      return key.endsWith("_other") ? [other, [key.replace(/other$/, "many"), text]] : [other];
    }),
  );
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
