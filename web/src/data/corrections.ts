/** Corrections of pictures as a person makes them: one for each picture, with undo and redo. */

export interface Correction {
  readonly file: string;
  readonly sha256: string;
  readonly row: number;
  /** The class it has. */
  readonly from: string | null;
  /** The class it gets; null leaves it out. */
  readonly to: string | null;
}

/** By the file of the picture, in the order in which they were made. */
export type Corrections = Readonly<Record<string, Correction>>;

export interface CorrectionHistory {
  readonly now: Corrections;
  readonly past: readonly Corrections[];
  readonly future: readonly Corrections[];
}

/** What a correction needs to know of a picture. */
export interface CorrectedPicture {
  readonly file: string;
  readonly sha256: string;
  readonly row: number;
  readonly label: string | null;
}

export const NO_CORRECTIONS: CorrectionHistory = { now: {}, past: [], future: [] };
/** As many as the server takes at once. */
export const MOST_CORRECTIONS = 10_000;
const MOST_STEPS = 100;

/** Gives pictures a class, or leaves them out; the class that one has takes its correction back. */
export function correct(
  history: CorrectionHistory,
  pictures: readonly CorrectedPicture[],
  to: string | null,
): CorrectionHistory {
  const now: Record<string, Correction> = { ...history.now };
  for (const { file, sha256, row, label } of pictures) {
    delete now[file];
    if (to === null || to !== label) now[file] = { file, sha256, row, from: label, to };
  }
  return step(history, now);
}

/** Takes the corrections of some pictures back. */
export function takeBack(history: CorrectionHistory, files: readonly string[]): CorrectionHistory {
  const now: Record<string, Correction> = { ...history.now };
  for (const file of files) delete now[file];
  return step(history, now);
}

export function undo({ now, past, future }: CorrectionHistory): CorrectionHistory {
  const before = past.at(-1);
  if (!before) return { now, past, future };
  return { now: before, past: past.slice(0, -1), future: [now, ...future] };
}

export function redo({ now, past, future }: CorrectionHistory): CorrectionHistory {
  const [next, ...rest] = future;
  if (!next) return { now, past, future };
  return { now: next, past: [...past, now], future: rest };
}

function step(history: CorrectionHistory, now: Corrections): CorrectionHistory {
  const isSame = JSON.stringify(now) === JSON.stringify(history.now);
  if (isSame) return history;
  return { now, past: [...history.past, history.now].slice(-MOST_STEPS), future: [] };
}
