/** A picture that a person drops or chooses is named by the model at once. */
import { Button, FileButton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type DragEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { sendPicture } from "../api/explainQuestions";
import { sizeText } from "../i18n/when";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import styles from "./explain.module.css";
import { GuessBars } from "./GuessBars";
import type { Explained } from "./PicturePanel";

interface TryPictureProps {
  run: string;
  node: string;
  onExplain: (explained: Explained) => void;
}

const MAX_BYTES = 32 * 1024 ** 2; // as the server takes them

export function TryPicture({ run, node, onExplain }: TryPictureProps) {
  const { t } = useTranslation();
  const [isOver, setOver] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const named = useMutation({ mutationFn: (bytes: File) => sendPicture(run, node, bytes) });
  const isTooLarge = file !== null && file.size > MAX_BYTES;
  const take = (taken: File | null | undefined) => {
    if (!taken) return;
    setFile(taken);
    named.reset();
    if (taken.size <= MAX_BYTES) named.mutate(taken);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <section>
      <h3>{t("tryPicture.title")}</h3>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button does the same from the keyboard */}
      <div
        className={file === null ? `${styles.try} ${styles.empty}` : styles.try}
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        {file && <Dropped file={file} />}
        <div className={styles.said} aria-live="polite">
          {file === null && (
            <span className="quiet">{isOver ? t("tryPicture.drop") : t("tryPicture.help")}</span>
          )}
          {isTooLarge && (
            <p>{t("tryPicture.tooLarge", { file: file.name, size: sizeText(MAX_BYTES) })}</p>
          )}
          {named.isPending && <span className="quiet">{t("tryPicture.naming")}</span>}
          {named.error && (
            <RequestFailure problem={named.error} onAgain={() => file && named.mutate(file)} />
          )}
          {named.data && <GuessBars guesses={named.data.guesses} label={null} />}
          <div className={styles.buttons}>
            {named.data && file && (
              <Button
                variant="filled"
                onClick={() =>
                  onExplain({
                    picture: { dropped: named.data.picture },
                    file: file.name,
                    label: null,
                  })
                }
              >
                {t("tryPicture.why")}
              </Button>
            )}
            <FileButton onChange={take} accept="image/*">
              {(props) => (
                <Button {...props} leftSection={<Icon name="photo" size={14} />}>
                  {t("tryPicture.choose")}
                </Button>
              )}
            </FileButton>
          </div>
        </div>
      </div>
    </section>
  );
}

/** The picture as it lies on the person's machine. */
function Dropped({ file }: { file: File }) {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return address ? <img className={styles.dropped} src={address} alt={file.name} /> : null;
}
