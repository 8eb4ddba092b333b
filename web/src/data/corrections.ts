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

/** What a stroke did to one picture; null where it has no correction. */
interface Change {
  readonly file: string;
  readonly before: Correction | null;
  readonly after: Correction | null;
}

export interface CorrectionHistory {
  readonly now: Corrections;
  readonly past: readonly (readonly Change[])[];
  readonly future: readonly (readonly Change[])[];
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
const MOST_STROKES = 100;
/** Of all strokes together: about as much to keep as the corrections themselves. */
const MOST_CHANGES = 10_000;

/** Gives pictures a class, or leaves them out; the class that one has takes its correction back. */
export function correct(
  history: CorrectionHistory,
  pictures: readonly CorrectedPicture[],
  to: string | null,
): CorrectionHistory {
  const wanted = pictures.map(({ file, sha256, row, label }): [string, Correction | null] => {
    const isOther = to === null || to !== label;
    return [file, isOther ? { file, sha256, row, from: label, to } : null];
  });
  return stroke(history, wanted);
}

/** Takes the corrections of some pictures back. */
export function takeBack(history: CorrectionHistory, files: readonly string[]): CorrectionHistory {
  return stroke(
    history,
    files.map((file) => [file, null]),
  );
}

export function undo(history: CorrectionHistory): CorrectionHistory {
  const { now, past, future } = history;
  const last = past.at(-1);
  if (!last) return history;
  const back = last.toReversed().map(({ file, before }) => [file, before] as const);
  return { now: changed(now, back), past: past.slice(0, -1), future: [last, ...future] };
}

export function redo(history: CorrectionHistory): CorrectionHistory {
  const { now, past, future } = history;
  const [next, ...rest] = future;
  if (!next) return history;
  const forth = next.map(({ file, after }) => [file, after] as const);
  return { now: changed(now, forth), past: [...past, next], future: rest };
}

/** Returns the same corrections with nothing to undo: the least that must be kept. */
export function withoutStrokes({ now }: CorrectionHistory): CorrectionHistory {
  return { ...NO_CORRECTIONS, now };
}

type Wanted = readonly (readonly [string, Correction | null])[];

function stroke(history: CorrectionHistory, wanted: Wanted): CorrectionHistory {
  const { now } = history;
  const made = wanted.flatMap(([file, after]): Change[] => {
    const before = (Object.hasOwn(now, file) && now[file]) || null;
    return before?.to === after?.to ? [] : [{ file, before, after }];
  });
  if (made.length === 0) return history;
  return { now: changed(now, wanted), past: newest([...history.past, made]), future: [] };
}

function changed(now: Corrections, wanted: Wanted): Corrections {
  const next: Record<string, Correction> = { ...now };
  for (const [file, after] of wanted) {
    delete next[file];
    if (after) next[file] = after;
  }
  return next;
}

/** Returns the newest strokes that there is room for; the last one always. */
function newest(past: CorrectionHistory["past"]): CorrectionHistory["past"] {
  let changes = 0;
  const first = past.findLastIndex((one, place) => {
    changes += one.length;
    return place < past.length - 1 && changes > MOST_CHANGES;
  });
  return past.slice(Math.max(first + 1, past.length - MOST_STROKES));
}
