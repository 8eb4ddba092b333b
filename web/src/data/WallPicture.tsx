/** One picture of the wall: small, with its class, and what a correction makes of it. */
import { type MouseEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Pictures, thumbnailOf } from "../api/dataQuestions";
import type { ListedPicture } from "../api/types";
import { Icon } from "../icons/Icon";
import type { Correction } from "./corrections";
import styles from "./data.module.css";

interface WallPictureProps {
  id: string;
  which: Pictures;
  picture: ListedPicture | undefined;
  correction: Correction | undefined;
  place: number;
  total: number;
  isChosen: boolean;
  isActive: boolean;
  onPress: (event: MouseEvent, place: number) => void;
}

export function WallPicture(props: WallPictureProps) {
  const { id, which, picture, correction, place, total, isChosen, isActive, onPress } = props;
  const { t } = useTranslation();
  const [broken, setBroken] = useState(-1);
  const label = picture?.label ?? t("data.unlabelled");
  const change =
    correction &&
    (correction.to === null ? t("data.excluded") : t("data.becomes", { label: correction.to }));
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list around it has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus, and names its active option
    <div
      id={id}
      role="option"
      aria-selected={isChosen}
      aria-posinset={place + 1}
      aria-setsize={total}
      aria-label={picture ? [picture.file, label, change].filter(Boolean).join(", ") : t("loading")}
      className={styles.option}
      data-active={isActive || undefined}
      data-excluded={correction?.to === null || undefined}
      onClick={(event) => onPress(event, place)}
      title={picture?.file}
    >
      {picture && broken !== picture.row ? (
        <img
          src={thumbnailOf(which, picture.row, 240)}
          alt=""
          draggable={false}
          onError={() => setBroken(picture.row)}
        />
      ) : (
        <div className={`${styles.broken} quiet`}>{picture && t("data.noPicture")}</div>
      )}
      <span className={styles.caption}>
        {change ? <strong>{change}</strong> : picture && <span className="quiet">{label}</span>}
      </span>
      {isChosen && (
        <span className={styles.tick}>
          <Icon name="check" size={14} />
        </span>
      )}
    </div>
  );
}
