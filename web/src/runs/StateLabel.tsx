/** A state as an icon, a colour and a word; never the colour alone. */
import { useTranslation } from "react-i18next";
import { Icon } from "../icons/Icon";
import styles from "./runs.module.css";
import { lookOf } from "./words";

export function StateLabel({ state, iconOnly = false }: { state: string; iconOnly?: boolean }) {
  const { t } = useTranslation();
  const look = lookOf(state);
  const word = t(`state.${state}`);
  return (
    <span className={styles.state} data-meaning={look.meaning} title={iconOnly ? word : undefined}>
      <Icon name={look.icon} size={14} />
      {iconOnly ? <span className="readOut">{word}</span> : word}
    </span>
  );
}
