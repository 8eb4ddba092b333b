/** Some curves in one chart: lines, and the band in which all their values lie. */
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { i18n } from "../i18n";
import styles from "./charts.module.css";
import { type Column, columnsOf, type Line, positive } from "./columns";
import { numberText } from "./numbers";

export interface ChartLine extends Line {
  label: string;
}

interface CurveChartProps {
  lines: readonly ChartLine[];
  unit: string;
  isLog: boolean;
  smoothing: number;
  height?: number;
  /** Called with the steps that were dragged over, and with null for all. */
  onZoom: (steps: [number, number] | null) => void;
  onDrawn?: (plot: uPlot) => void;
}

// Told apart also by who does not see red and green: after Okabe and Ito (2008).
const COLOURS = [
  "#2f6fb5",
  "#d9822b",
  "#2b8a63",
  "#a85aa3",
  "#8c6d1f",
  "#3aa0c9",
  "#b3472d",
  "#666666",
];

export function CurveChart(props: CurveChartProps) {
  const { lines, unit, isLog, smoothing, height = 190, onZoom, onDrawn } = props;
  const { ref, width } = useElementSize<HTMLDivElement>();
  const place = useRef<HTMLDivElement>(null);
  const isDark = useComputedColorScheme() === "dark";
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const drawn = useRef(onDrawn);
  drawn.current = onDrawn;
  const plot = useRef<uPlot | null>(null);
  const labels = lines.map((one) => one.label).join("\n");
  const data = useMemo(() => tableOf(lines, smoothing, isLog), [lines, smoothing, isLog]);
  const newest = useRef(data);
  newest.current = data;

  useEffect(() => {
    if (!place.current || width === 0) return undefined;
    const made = new uPlot(
      optionsOf(labels.split("\n"), unit, isLog, isDark, { width, height }, (steps) =>
        zoom.current(steps),
      ),
      newest.current,
      place.current,
    );
    plot.current = made;
    drawn.current?.(made);
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [labels, unit, isLog, isDark, width, height]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  return (
    <div ref={ref} className={styles.plot} style={{ minHeight: height }}>
      <div ref={place} />
    </div>
  );
}

function tableOf(
  lines: readonly ChartLine[],
  smoothing: number,
  isLog: boolean,
): uPlot.AlignedData {
  const { x, lines: columns } = columnsOf(lines, smoothing);
  const shown = (column: Column) => (isLog ? positive(column) : column);
  return [x, ...columns.flatMap((one) => [shown(one.low), shown(one.high), shown(one.value)])];
}

function optionsOf(
  labels: string[],
  unit: string,
  isLog: boolean,
  isDark: boolean,
  size: { width: number; height: number },
  onZoom: (steps: [number, number] | null) => void,
): uPlot.Options {
  const text = isDark ? "#9aa3ae" : "#5c6570";
  const grid = isDark ? "#2b323a" : "#e8eaed";
  const axis: uPlot.Axis = {
    stroke: text,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return {
    ...size,
    scales: { x: { time: false }, y: isLog ? { distr: 3, log: 10 } : {} },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 5 } },
    legend: { live: true },
    axes: [
      {
        ...axis,
        size: 30,
        values: (_, ticks) =>
          ticks.map((one) => (Number.isInteger(one) ? numberText(one, "steps") : "")),
      },
      {
        ...axis,
        size: 62,
        values: (_, ticks) => ticks.map((one) => (one === null ? "" : numberText(one, unit))),
      },
    ],
    bands: labels.map((_, index) => ({
      series: [3 * index + 2, 3 * index + 1],
      fill: `${colourOf(index)}2e`,
    })),
    series: [
      {
        label: i18n.t("charts.step"),
        value: (_, step) => (step === null ? "" : numberText(step, "steps")),
      },
      ...labels.flatMap((label, index) => [
        {
          show: true,
          label: "",
          stroke: "transparent",
          points: { show: false },
          spanGaps: true,
          class: "u-band",
        },
        {
          show: true,
          label: "",
          stroke: "transparent",
          points: { show: false },
          spanGaps: true,
          class: "u-band",
        },
        {
          label,
          stroke: colourOf(index),
          width: 1.5,
          spanGaps: false,
          value: (_: uPlot, value: number | null) =>
            value === null ? "" : numberText(value, unit),
        },
      ]),
    ],
    hooks: {
      setSelect: [
        (made) => {
          const { left, width } = made.select;
          if (width < 4) return;
          const steps: [number, number] = [
            made.posToVal(left, "x"),
            made.posToVal(left + width, "x"),
          ];
          made.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          onZoom([Math.floor(steps[0]), Math.ceil(steps[1])]);
        },
      ],
      ready: [(made) => made.over.addEventListener("dblclick", () => onZoom(null))],
    },
  };
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? "#666666";
}
