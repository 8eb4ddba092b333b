/** Takes an archive of pictures, by a button or by dropping it; and says which wait to be gone on with. */
import { ActionIcon, Button, FileButton, Tooltip } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type DragEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { UploadRow } from "../api/types";
import { giveUpUpload } from "../api/uploadQuestions";
import { percent } from "../i18n/numbers";
import { ago, sizeText } from "../i18n/when";
import { Icon } from "../icons/Icon";
import styles from "./uploads.module.css";
import { UPLOADS, useUploads } from "./useUploads";

// Of names with two suffixes, some browsers look at the last alone.
const LAST_SUFFIXES = [".gz", ".bz2"];

export function UploadDrop({ onFile }: { onFile: (file: File) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [isOver, setOver] = useState(false);
  const { data } = useUploads();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) onFile(file);
  };
  const giveUp = async (upload: UploadRow) => {
    await giveUpUpload(upload.id).catch(() => {}); // if it is still there, the list has it
    await queries.invalidateQueries({ queryKey: UPLOADS });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button does the same from the keyboard
    <div
      className={styles.drop}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <FileButton
        onChange={(file) => file && onFile(file)}
        accept={[...(data?.suffixes ?? []), ...LAST_SUFFIXES].join(",")}
      >
        {(props) => (
          <Button {...props} leftSection={<Icon name="up" size={14} />}>
            {t("upload.button")}
          </Button>
        )}
      </FileButton>
      <span className="quiet">
        {t("upload.hint")} {data && t("upload.most", { size: sizeText(data.max_bytes) })}
      </span>
      {data?.unfinished.map((upload) => (
        <Unfinished key={upload.id} upload={upload} onGiveUp={() => giveUp(upload)} />
      ))}
    </div>
  );
}

function Unfinished({ upload, onGiveUp }: { upload: UploadRow; onGiveUp: () => void }) {
  const { t } = useTranslation();
  const label = t("upload.giveUp", { name: upload.name });
  return (
    <p className={styles.unfinished}>
      <span className={styles.name}>
        {t("upload.unfinished", {
          name: upload.name,
          percent: percent(upload.there / upload.size_bytes),
          size: sizeText(upload.size_bytes),
          when: ago(upload.changed),
        })}
      </span>
      <Tooltip label={label}>
        <ActionIcon size="sm" aria-label={label} onClick={onGiveUp}>
          <Icon name="delete" />
        </ActionIcon>
      </Tooltip>
    </p>
  );
}
