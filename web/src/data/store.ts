/** The corrections that were made and not used yet, for each image directory; a reload keeps them. */
import { create } from "zustand";
import type { Pictures } from "../api/dataQuestions";
import {
  type CorrectionHistory,
  MOST_CORRECTIONS,
  NO_CORRECTIONS,
  withoutStrokes,
} from "./corrections";

type Histories = Readonly<Record<string, CorrectionHistory>>;

/** What a person must know: a stroke was too much, or a reload would lose what there is. */
export type Trouble = "tooMany" | "notKept";

interface Kept {
  readonly histories: Histories;
  readonly trouble: Trouble | null;
}

const PLACE = "imageloom-corrections";

export const keyOf = ({ run, node, port }: Pictures) => `${run} ${node} ${port}`;

const useKept = create<Kept>()(() => ({ histories: read(), trouble: null }));

export function useCorrections(which: Pictures): CorrectionHistory {
  return useKept((state) => state.histories[keyOf(which)] ?? NO_CORRECTIONS);
}

export const useTrouble = () => useKept((state) => state.trouble);

/** Changes the corrections of an image directory; a change that makes too many of them is not made. */
export function changeCorrections(
  which: Pictures,
  change: (history: CorrectionHistory) => CorrectionHistory,
): void {
  const key = keyOf(which);
  const { histories: before } = useKept.getState();
  const changed = change(before[key] ?? NO_CORRECTIONS);
  if (Object.keys(changed.now).length > MOST_CORRECTIONS) {
    refuse();
    return;
  }
  const histories = { ...before, [key]: changed };
  useKept.setState({ histories, trouble: write(histories) ? null : "notKept" });
}

/** Says that a stroke is too much, which was not even read as a whole. */
export function refuse(): void {
  useKept.setState({ trouble: "tooMany" });
}

function read(): Histories {
  try {
    const found: unknown = JSON.parse(window.sessionStorage.getItem(PLACE) ?? "{}");
    return typeof found === "object" && found !== null ? mapped(found as Histories, whole) : {};
  } catch {
    return {};
  }
}

/** What a page of before this version kept to undo were no strokes. */
function whole(history: CorrectionHistory): CorrectionHistory {
  const { past, future } = history;
  return [...past, ...future].every(Array.isArray) ? history : withoutStrokes(history);
}

/** Keeps what there is, without what could be undone where there is no room for it; says whether it could. */
function write(histories: Histories): boolean {
  return [histories, mapped(histories, withoutStrokes)].some((kept) => {
    try {
      window.sessionStorage.setItem(PLACE, JSON.stringify(kept));
      return true;
    } catch {
      return false; // it is full: the next try is smaller
    }
  });
}

function mapped(
  histories: Histories,
  change: (history: CorrectionHistory) => CorrectionHistory,
): Histories {
  return Object.fromEntries(Object.entries(histories).map(([key, one]) => [key, change(one)]));
}
