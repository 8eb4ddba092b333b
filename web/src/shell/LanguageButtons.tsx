/** The other languages in which the page can be read, each called as its own people call it. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { choose, LANGUAGES, type Language } from "../i18n/language";
import styles from "./Shell.module.css";

export function LanguageButtons() {
  const { i18n } = useTranslation();
  const others = (Object.keys(LANGUAGES) as Language[]).filter((one) => one !== i18n.language);
  return (
    <>
      {others.map((language) => (
        <Tooltip key={language} label={LANGUAGES[language]}>
          <ActionIcon
            lang={language}
            aria-label={`${language.toUpperCase()} ${LANGUAGES[language]}`}
            className={styles.language}
            // Its texts cannot come from a studio that does not answer, which the page says.
            onClick={() => void choose(language).catch(() => undefined)}
          >
            {language.toUpperCase()}
          </ActionIcon>
        </Tooltip>
      ))}
    </>
  );
}
