/** The whole of a large confusion matrix as a map; a place on it, or two classes, choose the part to show. */
import { Button, Select, useComputedColorScheme } from "@mantine/core";
import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Evaluation } from "./evaluation";
import styles from "./matrixMap.module.css";
import { type MatrixPart, partAround, pixelsOf, squaresOf } from "./squares";

interface MatrixMapProps {
  evaluation: Evaluation;
  /** What the table shows, or null while it shows the classes with the most mistakes. */
  part: MatrixPart | null;
  shown: number;
  onPart: (part: MatrixPart | null) => void;
}

const SIDE = 320;
const STEPS: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export function MatrixMap({ evaluation, part, shown, onPart }: MatrixMapProps) {
  const { t } = useTranslation();
  const num = evaluation.classes.length;
  const canvas = useRef<HTMLCanvasElement>(null);
  const isDark = useComputedColorScheme() === "dark";
  const squares = useMemo(() => squaresOf(evaluation, SIDE), [evaluation]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    context?.putImageData(
      new ImageData(pixelsOf(squares, isDark), squares.size, squares.size),
      0,
      0,
    );
  }, [squares, isDark]);
  const around = (row: number, column: number) => onPart(partAround(row, column, num, shown));
  const point = (event: MouseEvent<HTMLButtonElement>) => {
    if (event.detail === 0) return; // from the keyboard, which has the arrows
    const box = event.currentTarget.getBoundingClientRect();
    around(
      ((event.clientY - box.top) / box.height) * num,
      ((event.clientX - box.left) / box.width) * num,
    );
  };
  const step = (event: KeyboardEvent) => {
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    const { row, column } = part ?? { row: 0, column: 0 };
    const far = Math.round(shown / 2);
    around(row + shown / 2 + by[0] * far, column + shown / 2 + by[1] * far);
  };
  const jump = (row: string | null, column: string | null) => {
    const at = (label: string | null, otherwise: number) => {
      const found = label === null ? -1 : evaluation.classes.indexOf(label);
      return found < 0 ? otherwise + shown / 2 : found;
    };
    around(at(row, part?.row ?? 0), at(column, part?.column ?? 0));
  };
  const share = (at: number) => `${(100 * at) / num}%`;
  return (
    <div className={styles.parts}>
      <button
        type="button"
        className={styles.map}
        aria-label={t("matrixMap.label", { count: num })}
        onClick={point}
        onKeyDown={step}
      >
        <canvas ref={canvas} width={squares.size} height={squares.size} />
        {part && (
          <span
            className={styles.window}
            style={{
              top: share(part.row),
              left: share(part.column),
              width: share(Math.min(shown, num)),
              height: share(Math.min(shown, num)),
            }}
          />
        )}
      </button>
      <div className={styles.side}>
        <p className="quiet">{t("matrixMap.help")}</p>
        <Select
          label={t("matrixMap.row")}
          data={evaluation.classes}
          value={null}
          onChange={(label) => jump(label, null)}
          searchable
          limit={100}
        />
        <Select
          label={t("matrixMap.column")}
          data={evaluation.classes}
          value={null}
          onChange={(label) => jump(null, label)}
          searchable
          limit={100}
        />
        {part && <Button onClick={() => onPart(null)}>{t("matrixMap.worst")}</Button>}
      </div>
    </div>
  );
}
