/** What a person is about to train on, before the pipeline opens. */
import { Button, Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFocusReturn } from "../shell/useFocusReturn";
import { SourceDescription } from "../sources/SourceDescription";
import styles from "./ChosenPlace.module.css";

interface ChosenPlaceProps {
  path: string;
  onClose: () => void;
  onOther: () => void;
  onOpen: () => void;
}

export function ChosenPlace({ path, onClose, onOther, onOpen }: ChosenPlaceProps) {
  const { t } = useTranslation();
  useFocusReturn();
  return (
    <Modal
      opened
      onClose={onClose}
      title={path}
      size="lg"
      classNames={{ title: styles.title ?? "" }}
    >
      <SourceDescription path={path} />
      <div className={styles.foot}>
        <Button onClick={onOther}>{t("source.other")}</Button>
        <Button variant="filled" onClick={onOpen}>
          {t("source.open")}
        </Button>
      </div>
    </Modal>
  );
}
