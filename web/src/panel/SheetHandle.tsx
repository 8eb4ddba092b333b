/** Where the panel is a sheet from below: drawn up and down by hand or by arrow keys, or pressed for the next height. */
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { HIGH, heightAfter, LOW, nextHeight, settled } from "../graph/sheet";
import styles from "./SheetHandle.module.css";

interface SheetHandleProps {
  /** Of the window, in percent. */
  height: number;
  onHeight: (height: number) => void;
}

interface Pull {
  readonly from: number;
  readonly height: number;
  isMoved: boolean;
  /** Where it is now: an event may come before what is shown is drawn anew. */
  now: number;
}

const STILL_PX = 6;

export function SheetHandle({ height, onHeight }: SheetHandleProps) {
  const { t } = useTranslation();
  const pull = useRef<Pull | null>(null);
  const move = (event: React.PointerEvent) => {
    const now = pull.current;
    if (!now) return;
    const up = now.from - event.clientY;
    if (Math.abs(up) > STILL_PX) now.isMoved = true;
    if (!now.isMoved) return;
    now.now = heightAfter(now.height, (100 * up) / window.innerHeight);
    onHeight(now.now);
  };
  const letGo = () => {
    const now = pull.current;
    pull.current = null;
    if (now) onHeight(now.isMoved ? settled(now.now) : nextHeight(height));
  };
  const press = (event: React.KeyboardEvent) => {
    const step = { ArrowUp: 10, ArrowDown: -10, PageUp: 100, PageDown: -100 }[event.key];
    if (event.key === "Enter" || event.key === " ") onHeight(nextHeight(height));
    else if (step) onHeight(heightAfter(height, step));
    else return;
    event.preventDefault();
    event.stopPropagation(); // arrows move nodes elsewhere
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that is moved is no line
    <div
      className={styles.handle}
      role="separator"
      aria-orientation="horizontal"
      aria-label={t("panel.height")}
      aria-valuemin={LOW}
      aria-valuemax={HIGH}
      aria-valuenow={Math.round(height)}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        pull.current = { from: event.clientY, height, isMoved: false, now: height };
      }}
      onPointerMove={move}
      onPointerUp={letGo}
      onPointerCancel={() => {
        pull.current = null;
      }}
      onKeyDown={press}
    />
  );
}
