/** A wall of pictures of any length: only those in view are there, and asked for by the page. */
import { Button } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type MouseEvent,
  useCallback,
  useEffect,
  useRef,
  useState,
} from "react";
import { useTranslation } from "react-i18next";
import type { Pictures } from "../api/dataQuestions";
import { RequestFailure } from "../runs/FailureCard";
import styles from "./data.module.css";
import { type Filter, PAGE, usePages } from "./queries";
import { choose, placeAfter, type Selection, type Way } from "./selection";
import { useCorrections } from "./store";
import { WallPicture } from "./WallPicture";

interface PictureWallProps {
  which: Pictures;
  filter: Filter;
  total: number;
  selection: Selection;
  /** Whether a plain click or tap adds a picture to those that are chosen. */
  isAdding: boolean;
  most: number;
  onSelect: (selection: Selection) => void;
  onExclude: () => void;
  onUndo: () => void;
  onRedo: () => void;
}

/** A browser draws nothing beyond some 33 million pixels: longer lists are shown in parts. */
const PART = 60_000;
const SIDE = 112;
const CAPTION = 40;
const GAP = 8;

export function PictureWall(props: PictureWallProps) {
  const { which, filter, total, selection, isAdding, most, onSelect } = props;
  const { t } = useTranslation();
  const { ref: sizeRef, width, height } = useElementSize<HTMLDivElement>({ box: "content-box" });
  const scroller = useRef<HTMLDivElement | null>(null);
  const attach = useCallback(
    (element: HTMLDivElement | null) => {
      scroller.current = element;
      sizeRef(element);
    },
    [sizeRef],
  );
  const [part, setPart] = useState(0);
  const start = part * PART;
  const length = Math.min(PART, total - start);
  const columns = Math.max(2, Math.floor((width + GAP) / (SIDE + GAP)));
  const rowHeight = (width - GAP * (columns - 1)) / columns + CAPTION + GAP;
  const wall = useVirtualizer({
    count: Math.ceil(length / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 2,
  });
  useEffect(() => {
    if (rowHeight > 0) wall.measure();
  }, [wall, rowHeight]);
  const rows = wall.getVirtualItems();
  const first = start + (rows[0]?.index ?? 0) * columns;
  const last = Math.min(start + ((rows.at(-1)?.index ?? -1) + 1) * columns, start + length) - 1;
  const { pictures, error } = usePages(which, filter, pagesBetween(first, last));
  const corrections = useCorrections(which).now;

  const show = (place: number, way: Way) => {
    onSelect(choose(selection, place, way, most));
    const of = Math.floor(place / PART);
    if (of !== part) setPart(of);
    else wall.scrollToIndex(Math.floor((place - start) / columns));
  };
  const press = (event: MouseEvent, place: number) => {
    const isMore = event.ctrlKey || event.metaKey || isAdding;
    onSelect(
      choose(selection, place, event.shiftKey ? "range" : isMore ? "toggle" : "alone", most),
    );
  };
  const key = (event: KeyboardEvent) => {
    const grid = { columns, rows: Math.max(1, Math.floor(height / rowHeight)), total };
    const place = placeAfter(event.key, selection.active, grid);
    const isCommand = event.ctrlKey || event.metaKey;
    if (place !== null) show(place, event.shiftKey ? "range" : "alone");
    else if (event.key === " " && selection.active >= 0) show(selection.active, "toggle");
    else if (event.key === "Delete" || event.key === "Backspace") props.onExclude();
    else if (event.key === "Escape") onSelect({ ...selection, chosen: new Set() });
    else if (isCommand && event.key.toLowerCase() === "z") {
      if (event.shiftKey) props.onRedo();
      else props.onUndo();
    } else if (isCommand && event.key.toLowerCase() === "y") props.onRedo();
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles.wallFrame}>
      {error && <RequestFailure problem={error} />}
      {total > PART && <Parts part={part} total={total} onPart={setPart} />}
      <div
        ref={attach}
        className={styles.wall}
        role="listbox"
        aria-multiselectable="true"
        aria-label={t("data.wall")}
        aria-activedescendant={selection.active >= 0 ? idOf(selection.active) : undefined}
        tabIndex={0}
        onKeyDown={key}
      >
        <div role="presentation" style={{ height: wall.getTotalSize(), position: "relative" }}>
          {width > 0 &&
            rows.map((row) => (
              <div
                key={row.key}
                role="presentation"
                className={styles.wallRow}
                style={{
                  transform: `translateY(${row.start}px)`,
                  gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
                }}
              >
                {placesOf(start + row.index * columns, columns, start + length).map((place) => (
                  <WallPicture
                    key={place}
                    id={idOf(place)}
                    which={which}
                    picture={pictures.get(place)}
                    correction={corrections[pictures.get(place)?.file ?? ""]}
                    place={place}
                    total={total}
                    isChosen={selection.chosen.has(place)}
                    isActive={selection.active === place}
                    onPress={press}
                  />
                ))}
              </div>
            ))}
        </div>
      </div>
    </div>
  );
}

interface PartsProps {
  part: number;
  total: number;
  onPart: (part: number) => void;
}

function Parts({ part, total, onPart }: PartsProps) {
  const { t } = useTranslation();
  const end = Math.min((part + 1) * PART, total);
  return (
    <div className={styles.parts}>
      <Button disabled={part === 0} onClick={() => onPart(part - 1)}>
        {t("data.earlier")}
      </Button>
      <span className="number">{t("data.part", { from: part * PART + 1, to: end, total })}</span>
      <Button disabled={end >= total} onClick={() => onPart(part + 1)}>
        {t("data.later")}
      </Button>
    </div>
  );
}

const idOf = (place: number) => `picture-${place}`;

function placesOf(from: number, length: number, end: number): number[] {
  return Array.from({ length: Math.min(length, end - from) }, (_, number) => from + number);
}

function pagesBetween(first: number, last: number): number[] {
  if (last < first) return [];
  const from = Math.floor(first / PAGE);
  return Array.from({ length: Math.floor(last / PAGE) - from + 1 }, (_, number) => from + number);
}
