/** Curves of several runs over each other: one chart for each metric of each node, one line for each run. */
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { readSeries } from "../api/runQuestions";
import type { RunComparison, Series } from "../api/types";
import { CompareChart, type RunSeries } from "./CompareChart";
import styles from "./compare.module.css";

interface CompareCurvesProps {
  runs: readonly string[];
  names: ReadonlyMap<string, string>;
  metrics: RunComparison["metrics"];
}

interface Found {
  run: string;
  node: string;
  series: readonly Series[];
}

export function CompareCurves({ runs, names, metrics }: CompareCurvesProps) {
  const { t } = useTranslation();
  // A metric is called NODE: NAME, and ids of nodes have no colon.
  const nodes = [...new Set(metrics.map((one) => one.name.split(":")[0] ?? ""))];
  const asked = runs.flatMap((run) => nodes.map((node) => ({ run, node })));
  const { found, isReady } = useQueries({
    queries: asked.map(({ run, node }) => ({
      queryKey: ["series", run, node, "compared"],
      queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Found> => ({
        run,
        node,
        series: await readSeries(run, node, signal),
      }),
    })),
    combine: (results) => ({
      found: results.flatMap((one) => (one.data ? [one.data] : [])),
      isReady: results.every((one) => !one.isPending), // a run without that node has no curves
    }),
  });
  const charts = useMemo(() => chartsOf(found), [found]);
  if (isReady && charts.size === 0) return <p className="quiet">{t("compare.curvesNone")}</p>;
  return (
    <div className={styles.charts}>
      {[...charts].map(([title, series]) => (
        <CompareChart key={title} title={title} series={series} names={names} />
      ))}
    </div>
  );
}

/** Curves of the first process, by node and name; of one for steps and one for epochs, that for steps. */
function chartsOf(found: readonly Found[]): Map<string, RunSeries[]> {
  const charts = new Map<string, RunSeries[]>();
  for (const { run, node, series } of found) {
    const first = series.filter((one) => one.rank === 0);
    const bySteps = new Set(first.filter((one) => one.kind === "step").map((one) => one.name));
    for (const one of first) {
      if (one.kind === "epoch" && bySteps.has(one.name)) continue;
      const title = `${node}: ${one.name}`;
      charts.set(title, [...(charts.get(title) ?? []), { run, node, series: one }]);
    }
  }
  return charts;
}
