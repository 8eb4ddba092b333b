/** One chart with its title; its points are asked for only while it can be seen. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useIntersection } from "@mantine/hooks";
import { useCallback, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type uPlot from "uplot";
import type { Series } from "../api/types";
import { fromServer } from "../i18n/fromServer";
import { Icon } from "../icons/Icon";
import { CurveChart } from "./CurveChart";
import styles from "./charts.module.css";
import type { ChartGroup } from "./groups";
import { useCurves } from "./queries";
import { savePicture } from "./savePicture";

interface ChartCardProps {
  run: string;
  node: string;
  group: ChartGroup<Series>;
  isLog: boolean;
  smoothing: number;
  steps: [number, number] | null;
  hasRanks: boolean;
  onZoom: (steps: [number, number] | null) => void;
}

export function ChartCard(props: ChartCardProps) {
  const { run, node, group, isLog, smoothing, steps, hasRanks, onZoom } = props;
  const { t, i18n } = useTranslation();
  const { ref, entry } = useIntersection({ rootMargin: "200px" });
  const plot = useRef<uPlot | null>(null);
  const curves = useCurves(run, node, group.series, steps, entry?.isIntersecting ?? false);
  const labelOf = useCallback(
    ({ name, rank }: { name: string; rank: number }, isOfMany: boolean) =>
      isOfMany ? `${fromServer(name)} ${rank}` : fromServer(name),
    [i18n.language],
  );
  const lines = useMemo(
    () =>
      curves.map((curve) => ({
        points: curve.points,
        label: labelOf(curve.series, hasRanks),
      })),
    [curves, hasRanks, labelOf],
  );
  const title = group.isTitled ? t(`charts.${group.title}`) : fromServer(group.title);
  const numRows = curves.reduce((sum, one) => sum + one.num_rows, 0);
  const numPoints = curves.reduce((sum, one) => sum + one.points.length, 0);
  const numOdd = curves
    .flatMap((one) => one.points)
    .reduce((sum, point) => sum + point.num_nan + point.num_infinite, 0);
  return (
    <section className={styles.card} ref={ref} aria-label={title}>
      <header className={styles.cardTitle}>
        <h3>{title}</h3>
        {group.unit && <span className="quiet">{fromServer(group.unit)}</span>}
        <Tooltip label={t("charts.image")}>
          <ActionIcon
            className={styles.end}
            aria-label={t("charts.image")}
            onClick={() => plot.current && savePicture(plot.current, `${run}-${node}-${title}`)}
          >
            <Icon name="download" size={14} />
          </ActionIcon>
        </Tooltip>
      </header>
      <CurveChart
        lines={lines}
        unit={group.unit}
        isLog={isLog}
        smoothing={smoothing}
        onZoom={onZoom}
        onDrawn={(made) => {
          plot.current = made;
        }}
      />
      <footer className={`quiet number ${styles.note}`} data-rows={numRows}>
        {numRows > numPoints && t("charts.ofRows", { shown: numPoints, rows: numRows })}
        {numOdd > 0 && (
          <span className={styles.odd}>{t("charts.notFinite", { count: numOdd })}</span>
        )}
      </footer>
    </section>
  );
}
