/** The curves of a node, as few points of many rows. */
import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { OVERTAKEN_MS } from "../api/queries";
import { readCurve, readSeries } from "../api/runQuestions";
import type { Curve, Series } from "../api/types";

const POINTS = 800;

/** Which curves there are, and how long they are; read again when the mark changes. */
export function useSeries(run: string, node: string, mark: string) {
  return useQuery({
    queryKey: ["series", run, node, mark],
    queryFn: ({ signal }) => readSeries(run, node, signal),
    placeholderData: keepPreviousData,
    gcTime: OVERTAKEN_MS,
  });
}

/**
 * The points of some curves; of each again when it has more rows or was cut. Until the new ones are there, those of
 * before are: `keepPreviousData` does not do that for several questions at once.
 */
export function useCurves(
  run: string,
  node: string,
  series: readonly Series[],
  steps: [number, number] | null,
  isVisible: boolean,
): Curve[] {
  const [from, to] = steps === null ? [] : steps.map((one) => Math.max(0, one));
  const before = useRef(new Map<string, Curve>());
  const keyOf = ({ name, kind, rank }: Pick<Series, "name" | "kind" | "rank">) =>
    [run, node, name, kind, rank].join("\n");
  const curves = useQueries({
    queries: series.map(({ name, kind, rank, num_rows, generation }) => ({
      queryKey: ["curve", run, node, name, kind, rank, from, to, num_rows, generation],
      enabled: isVisible,
      gcTime: OVERTAKEN_MS,
      placeholderData: before.current.get(keyOf({ name, kind, rank })),
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        readCurve(run, node, { name, kind, rank, points: POINTS, from, to }, signal),
    })),
    combine: (results) => results.flatMap((one) => (one.data ? [one.data] : [])),
  });
  useEffect(() => {
    for (const curve of curves) before.current.set(keyOf(curve.series), curve);
  });
  return curves;
}
