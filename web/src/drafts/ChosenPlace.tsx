/** What a person is about to train on, before the pipeline opens. */
import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { deleteUpload } from "../api/uploadQuestions";
import { useFocusReturn } from "../shell/useFocusReturn";
import { SourceDescription } from "../sources/SourceDescription";
import styles from "./ChosenPlace.module.css";

interface ChosenPlaceProps {
  path: string;
  /** The name of the upload that it is, if it was uploaded just now: it can be deleted again. */
  upload: string | undefined;
  onClose: () => void;
  onOther: () => void;
  onOpen: () => void;
}

export function ChosenPlace({ path, upload, onClose, onOther, onOpen }: ChosenPlaceProps) {
  const { t } = useTranslation();
  const [problem, setProblem] = useState("");
  const remove = async (name: string) => {
    try {
      await deleteUpload(name);
      onOther();
    } catch (why) {
      setProblem(why instanceof Error ? why.message : String(why));
    }
  };
  useFocusReturn();
  return (
    <Modal
      opened
      onClose={onClose}
      title={upload ?? path}
      size="lg"
      classNames={{ title: styles.title ?? "" }}
    >
      <SourceDescription path={path} />
      {problem && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <div className={styles.foot}>
        {upload && (
          <Button className={styles.aside ?? ""} onClick={() => remove(upload)}>
            {t("upload.delete")}
          </Button>
        )}
        <Button onClick={onOther}>{t("source.other")}</Button>
        <Button variant="filled" onClick={onOpen}>
          {t("source.open")}
        </Button>
      </div>
    </Modal>
  );
}
