/** Walks the folders that the server may show, to name one, or a file in one. */
import { Button, Modal } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { readPlace } from "../api/questions";
import type { Folder } from "../api/types";
import { sizeText } from "../i18n/when";
import { Icon } from "../icons/Icon";
import { useFocusReturn } from "../shell/useFocusReturn";
import { FinishedUploads } from "../uploads/FinishedUploads";
import { UploadDrop } from "../uploads/UploadDrop";
import { Uploading } from "../uploads/Uploading";
import { UPLOADS } from "../uploads/useUploads";
import styles from "./PathPicker.module.css";

interface PathPickerProps {
  start?: string;
  onClose: () => void;
  /** `upload` is the name of what was uploaded just now. */
  onTake: (path: string, upload?: string) => void;
}

export function PathPicker({ start = "", onClose, onTake }: PathPickerProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  useFocusReturn();
  const [file, setFile] = useState<File | null>(null);
  const look = () => void queries.invalidateQueries({ queryKey: UPLOADS });
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={file === null} // a click beside it shall not stop what takes long
      title={t("places.title")}
      size="lg"
    >
      {file ? (
        <Uploading
          file={file}
          onDone={(done) => onTake(done.path, done.name)}
          onCancelled={() => {
            setFile(null);
            look();
          }}
        />
      ) : (
        <>
          <UploadDrop onFile={setFile} />
          <FinishedUploads onTake={onTake} />
          <Walk start={start} onTake={onTake} />
        </>
      )}
    </Modal>
  );
}

function Walk({ start, onTake }: { start: string; onTake: (path: string) => void }) {
  const { t } = useTranslation();
  const [path, setPath] = useState(start.startsWith("/") ? start : "");
  const { data: folder, error } = useQuery({
    queryKey: ["places", path],
    queryFn: () => readPlace(path),
    placeholderData: (before) => before,
    retry: false,
  });
  return (
    <>
      <p className={`quiet ${styles.hint}`}>{t("places.hint")}</p>
      {folder && <Roots folder={folder} onOpen={setPath} />}
      {error && (
        <p className={styles.error}>
          {error.message}{" "}
          <button type="button" className={styles.root} onClick={() => setPath("")}>
            {t("places.roots")}
          </button>
        </p>
      )}
      {folder && <Entries folder={folder} onOpen={setPath} onTake={onTake} />}
      <div className={styles.foot}>
        <code className={styles.path}>{folder?.path}</code>
        <Button
          variant="filled"
          disabled={!folder || error !== null}
          onClick={() => folder && onTake(folder.path)}
        >
          {t("places.take")}
        </Button>
      </div>
    </>
  );
}

interface PlacesProps {
  folder: Folder;
  onOpen: (path: string) => void;
}

function Roots({ folder, onOpen }: PlacesProps) {
  const { t } = useTranslation();
  return (
    <nav className={styles.roots} aria-label={t("places.roots")}>
      {folder.roots.map((root) => (
        <button
          type="button"
          key={root}
          className={styles.root}
          aria-current={folder.path === root || folder.path.startsWith(`${root}/`)}
          onClick={() => onOpen(root)}
        >
          {root}
        </button>
      ))}
    </nav>
  );
}

function Entries({ folder, onOpen, onTake }: PlacesProps & { onTake: (path: string) => void }) {
  const { t } = useTranslation();
  const { parent } = folder;
  return (
    <div className={styles.entries}>
      {parent && (
        <button type="button" className={styles.entry} onClick={() => onOpen(parent)}>
          <Icon name="up" />
          {t("places.up")}
        </button>
      )}
      {folder.entries.map((entry) => (
        <button
          type="button"
          key={entry.path}
          className={styles.entry}
          onClick={() => (entry.is_folder ? onOpen(entry.path) : onTake(entry.path))}
        >
          <Icon name={entry.is_folder ? "folder" : "file"} />
          <span className={styles.name}>{entry.name}</span>
          {entry.bytes !== null && <span className="quiet number">{sizeText(entry.bytes)}</span>}
        </button>
      ))}
      {folder.entries.length === 0 && <p className="quiet">{t("places.empty")}</p>}
      {folder.num_more > 0 && (
        <p className="quiet">{t("places.more", { count: folder.num_more })}</p>
      )}
    </div>
  );
}
