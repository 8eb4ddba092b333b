/** How fast something goes, and how long the rest will take. */

export interface Sample {
  readonly time_ms: number;
  readonly bytes: number;
}

export interface Pace {
  readonly bytes_per_s: number;
  readonly left_s: number;
}

const WINDOW_MS = 8_000;
const SHORTEST_MS = 300;

/** Returns the samples with one more, less those that say nothing of the pace now. */
export function withSample(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last && next.bytes < last.bytes) return [next]; // it began again
  return [...samples.filter((one) => next.time_ms - one.time_ms <= WINDOW_MS), next];
}

/** Returns the pace of the last seconds, or null while too little is known. */
export function paceOf(samples: readonly Sample[], size: number): Pace | null {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (!first || !last || last.time_ms - first.time_ms < SHORTEST_MS) return null;
  const bytes_per_s = (1_000 * (last.bytes - first.bytes)) / (last.time_ms - first.time_ms);
  return bytes_per_s > 0 ? { bytes_per_s, left_s: (size - last.bytes) / bytes_per_s } : null;
}
