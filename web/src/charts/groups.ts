/** Which curves stand together in one chart, and in which order the charts stand. */

export interface SeriesKey {
  name: string;
  unit: string;
  kind: "step" | "epoch";
  rank: number;
}

export interface ChartGroup<Series extends SeriesKey> {
  /** Key of the title, or the curve's own name where nobody gave it a title. */
  title: string;
  isTitled: boolean;
  unit: string;
  series: Series[];
}

/** Titles in order, with the names that belong to each. */
const GROUPS: [title: string, names: string[]][] = [
  ["loss", ["Train loss", "Valid loss"]],
  [
    "accuracy",
    [
      "Top-1 validation accuracy",
      "Top-5 validation accuracy",
      "Validation micro F1",
      "Validation exact match",
    ],
  ],
  ["speed", ["Train images per second"]],
  ["rate", ["learning rate"]],
  ["waiting", ["Waiting for data fraction"]],
  ["memory", ["Memory in use"]],
  ["gpuMemory", ["GPU memory in use", "GPU memory in use at most"]],
  ["stepTime", ["Step time"]],
  ["others", ["Waiting for other processes fraction"]],
];

/**
 * Return the charts of some curves. Of a curve that is there for steps and for epochs, the one for
 * steps is drawn: it says more. What is in no group has a chart of its own behind the others.
 */
export function groupsOf<Series extends SeriesKey>(all: readonly Series[]): ChartGroup<Series>[] {
  const hasSteps = new Set(all.filter((one) => one.kind === "step").map((one) => one.name));
  const drawn = all.filter((one) => one.kind === "step" || !hasSteps.has(one.name));
  const known = GROUPS.map(([title, names]) => {
    const series = names.flatMap((name) => drawn.filter((one) => one.name === name));
    return { title, isTitled: true, unit: series[0]?.unit ?? "", series };
  });
  const grouped = new Set(GROUPS.flatMap(([, names]) => names));
  const others = [...new Set(drawn.map((one) => one.name))]
    .filter((name) => !grouped.has(name))
    .map((name) => {
      const series = drawn.filter((one) => one.name === name);
      return { title: name, isTitled: false, unit: series[0]?.unit ?? "", series };
    });
  return [...known, ...others].filter((group) => group.series.length > 0);
}
