/** One metric of several runs in one chart; its points are asked for only while it can be seen. */
import { useIntersection } from "@mantine/hooks";
import { useQueries } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { readCurve } from "../api/runQuestions";
import type { Series } from "../api/types";
import { CurveChart } from "../charts/CurveChart";
import styles from "./compare.module.css";

export interface RunSeries {
  run: string;
  node: string;
  series: Series;
}

interface CompareChartProps {
  title: string;
  series: readonly RunSeries[];
  names: ReadonlyMap<string, string>;
}

const POINTS = 400;

export function CompareChart({ title, series, names }: CompareChartProps) {
  const { ref, entry } = useIntersection({ rootMargin: "200px" });
  const [steps, setSteps] = useState<[number, number] | null>(null);
  const [from, to] = steps === null ? [] : steps.map((one) => Math.max(0, one));
  const curves = useQueries({
    queries: series.map(({ run, node, series: { name, kind, rank } }) => ({
      queryKey: ["curve", run, node, name, kind, rank, from, to, "compared"],
      enabled: entry?.isIntersecting ?? false,
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        readCurve(run, node, { name, kind, rank, points: POINTS, from, to }, signal),
    })),
    combine: (results) => results.map((one) => one.data),
  });
  const lines = useMemo(
    () =>
      series.flatMap(({ run }, at) => {
        const curve = curves[at];
        return curve ? [{ points: curve.points, label: names.get(run) ?? run }] : [];
      }),
    [series, curves, names],
  );
  return (
    <section className={styles.card} ref={ref} aria-label={title}>
      <h3>{title}</h3>
      <CurveChart
        lines={lines}
        unit={series[0]?.series.unit ?? ""}
        isLog={false}
        smoothing={0}
        onZoom={setSteps}
      />
    </section>
  );
}
