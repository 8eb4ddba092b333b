/** What can be done with the pictures that are chosen. */
import { Button, Menu, Switch } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Pictures } from "../api/dataQuestions";
import type { ImagesInfo } from "../api/types";
import { Icon } from "../icons/Icon";
import { MOST_CORRECTIONS } from "./corrections";
import styles from "./data.module.css";
import { RelabelMenu } from "./RelabelMenu";
import { useCorrections } from "./store";
import { UndoButtons } from "./UndoButtons";

interface ChosenPicturesProps {
  which: Pictures;
  classes: ImagesInfo["classes"];
  count: number;
  isAdding: boolean;
  onAdding: (isAdding: boolean) => void;
  /** Gives them a class, or with null leaves them out. */
  onCorrect: (to: string | null) => void;
  onKeep: () => void;
  onClear: () => void;
  onCorrections: () => void;
}

export function ChosenPictures(props: ChosenPicturesProps) {
  const { which, classes, count, isAdding, onCorrect, onKeep, onClear, onCorrections } = props;
  const { t } = useTranslation();
  const history = useCorrections(which);
  const made = Object.keys(history.now).length;
  const isNone = count === 0;
  return (
    <section className={styles.chosen} aria-label={t("data.chosen", { count })}>
      <strong className="number" aria-live="polite">
        {t("data.chosen", { count })}
      </strong>
      {isNone && <p className="quiet">{t("data.chooseHelp")}</p>}
      {count >= MOST_CORRECTIONS && (
        <p className={styles.care}>{t("data.tooMany", { most: MOST_CORRECTIONS })}</p>
      )}
      <div className={styles.buttons}>
        <Button
          disabled={isNone}
          leftSection={<Icon name="cancelled" size={14} />}
          onClick={() => onCorrect(null)}
        >
          {t("data.exclude")}
        </Button>
        <RelabelMenu classes={classes} isDisabled={isNone} onChoose={onCorrect} />
        <Menu position="bottom-end">
          <Menu.Target>
            <Button disabled={isNone} aria-label={t("bar.more")} px="xs">
              <Icon name="menu" size={14} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={onKeep}>{t("data.keep")}</Menu.Item>
            <Menu.Item onClick={onClear}>{t("data.clear")}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      <div className={styles.buttons}>
        <UndoButtons which={which} />
        <Button variant={made > 0 ? "filled" : "default"} onClick={onCorrections}>
          {t("corrections.lead", { count: made })}
        </Button>
      </div>
      <Switch
        size="xs"
        label={t("data.several")}
        checked={isAdding}
        onChange={(event) => props.onAdding(event.currentTarget.checked)}
      />
    </section>
  );
}
