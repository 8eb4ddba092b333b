/** Points of curves as the columns that uPlot draws: a line, and a band from the lowest to the highest. */

/** Neighbouring rows as one point; what is no finite number is null. */
export interface Point {
  first_step: number;
  last_step: number;
  min: number | null;
  max: number | null;
  last: number | null;
  count: number;
}

export interface Line {
  points: readonly Point[];
}

export type Column = (number | null | undefined)[];

/** x, then of each line its lowest, its highest and its drawn values. */
export interface Columns {
  x: number[];
  lines: { low: Column; high: Column; value: Column }[];
}

/**
 * Put lines with points at different steps into one table; a step that a line has no point for is
 * undefined, over which it is drawn on, and a value that is no number is null, which is a gap.
 *
 * @param smoothing 0 for the values as they are, to below 1: weight of all that came before.
 */
export function columnsOf(lines: readonly Line[], smoothing: number): Columns {
  const x = [...new Set(lines.flatMap((line) => line.points.map((one) => one.last_step)))].sort(
    (a, b) => a - b,
  );
  const at = new Map(x.map((step, index) => [step, index]));
  const columns = lines.map((line) => {
    const empty = (): Column => new Array<undefined>(x.length).fill(undefined);
    const column = { low: empty(), high: empty(), value: empty() };
    const values = smooth(
      line.points.map((one) => (one.count === 1 ? one.last : middleOf(one))),
      smoothing,
    );
    line.points.forEach((point, index) => {
      const row = at.get(point.last_step);
      if (row === undefined) return;
      column.low[row] = point.min;
      column.high[row] = point.max;
      column.value[row] = values[index];
    });
    return column;
  });
  return { x, lines: columns };
}

function middleOf(point: Point): number | null {
  return point.min === null || point.max === null ? null : (point.min + point.max) / 2;
}

/**
 * Exponential moving average without its pull towards zero at the beginning (Kingma and Ba 2014,
 * Adam, section 3): what it would be if the first value had been there for ever.
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let sum = 0;
  let correction = 1;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    correction *= weight;
    return sum / (1 - correction);
  });
}

/** What is hidden on a logarithmic scale: nothing at or below zero has a place there. */
export function positive(column: Column): Column {
  return column.map((value) => (typeof value === "number" && value <= 0 ? null : value));
}
