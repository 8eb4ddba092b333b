/** The classes with their counts; one that is chosen leaves only its pictures. */
import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { ImagesInfo } from "../api/types";
import { numberIn } from "../i18n/numbers";
import styles from "./data.module.css";

interface ClassFilterProps {
  classes: ImagesInfo["classes"];
  chosen: string | undefined;
  onChoose: (label: string | undefined) => void;
}

/** Beyond, a list that is typed into stands in place of all of them. */
const MOST = 200;

export function ClassFilter({ classes, chosen, onChoose }: ClassFilterProps) {
  const { t } = useTranslation();
  const named = classes.flatMap(({ name, images }) => (name === null ? [] : [{ name, images }]));
  const unlabelled = classes.find((one) => one.name === null)?.images ?? 0;
  const most = Math.max(1, ...named.map((one) => one.images));
  const isLong = named.length > MOST;
  return (
    <section className={styles.classes} aria-label={t("data.classes")}>
      <Select
        label={t("data.classes")}
        className={isLong ? "" : styles.narrowOnly}
        placeholder={t("data.all")}
        data={named.map(({ name, images }) => ({
          value: name,
          label: `${name} (${numberIn(images)})`,
        }))}
        value={chosen ?? null}
        onChange={(value) => onChoose(value ?? undefined)}
        searchable
        clearable
        limit={MOST}
      />
      {!isLong && (
        <ul className={styles.wideOnly}>
          <li>
            <button
              type="button"
              aria-pressed={chosen === undefined}
              onClick={() => onChoose(undefined)}
            >
              <span>{t("data.all")}</span>
            </button>
          </li>
          {named.map(({ name, images }) => (
            <li key={name}>
              <button
                type="button"
                aria-pressed={chosen === name}
                onClick={() => onChoose(chosen === name ? undefined : name)}
              >
                <span className={styles.className}>{name}</span>
                <span className="quiet number">{numberIn(images)}</span>
                <span
                  className={styles.bar}
                  style={{ width: `${(100 * images) / most}%` }}
                  aria-hidden
                />
              </button>
            </li>
          ))}
        </ul>
      )}
      {unlabelled > 0 && (
        <p className="quiet number">
          {t("data.unlabelled")}: {numberIn(unlabelled)}
        </p>
      )}
    </section>
  );
}
