/** All keys of the canvas. */
import { Kbd, Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import styles from "./KeysDialog.module.css";
import { setTools, useTools } from "./tools";

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "add"],
  ["C", "connect"],
  ["F2", "rename"],
  ["T", "tidy"],
  ["Shift L", "alignLeft"],
  ["Shift T", "alignTop"],
  ["Shift H", "spreadAcross"],
  ["Shift V", "spreadDown"],
  ["F", "fit"],
  ["Shift F10", "menu"],
  ["Delete", "remove"],
  ["Ctrl Delete", "bridge"],
  ["Ctrl Z", "undo"],
  ["Ctrl Shift Z", "redo"],
  ["Ctrl C", "copy"],
  ["Ctrl V", "paste"],
  ["Ctrl Shift V", "pasteLinks"],
  ["Ctrl A", "all"],
  ["Shift drag", "box"],
  ["Arrows", "nudge"],
  ["Alt Arrows", "walk"],
  ["?", "keys"],
];

export function KeysDialog() {
  const { t } = useTranslation();
  const isOpen = useTools((tools) => tools.isKeysOpen);
  return (
    <Modal opened={isOpen} onClose={() => setTools({ isKeysOpen: false })} title={t("keys.title")}>
      <dl className={styles.keys}>
        {KEYS.map(([keys, name]) => (
          <div key={name} className={styles.row}>
            <dt>
              {keys.split(" ").map((key) => (
                <Kbd key={key} size="xs" mr={4}>
                  {t(`keyNames.${key}`, { defaultValue: key })}
                </Kbd>
              ))}
            </dt>
            <dd>{t(`keys.${name}`)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
