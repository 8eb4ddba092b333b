/** The corrections that were made and not used yet, for each image directory; a reload keeps them. */
import { create } from "zustand";
import type { Pictures } from "../api/dataQuestions";
import { type CorrectionHistory, NO_CORRECTIONS } from "./corrections";

interface Kept {
  readonly histories: Readonly<Record<string, CorrectionHistory>>;
}

const PLACE = "imageloom-corrections";

export const keyOf = ({ run, node, port }: Pictures) => `${run} ${node} ${port}`;

const useKept = create<Kept>()(() => ({ histories: read() }));

export function useCorrections(which: Pictures): CorrectionHistory {
  return useKept((state) => state.histories[keyOf(which)] ?? NO_CORRECTIONS);
}

export function changeCorrections(
  which: Pictures,
  change: (history: CorrectionHistory) => CorrectionHistory,
): void {
  const key = keyOf(which);
  useKept.setState(({ histories }) => ({
    histories: { ...histories, [key]: change(histories[key] ?? NO_CORRECTIONS) },
  }));
  write(useKept.getState().histories);
}

function read(): Kept["histories"] {
  try {
    const found: unknown = JSON.parse(window.sessionStorage.getItem(PLACE) ?? "{}");
    return typeof found === "object" && found !== null ? (found as Kept["histories"]) : {};
  } catch {
    return {};
  }
}

/** Keeps what there is; what was undone before goes with the page when there is no room for it. */
function write(histories: Kept["histories"]): void {
  for (const kept of [histories, withoutSteps(histories)]) {
    try {
      window.sessionStorage.setItem(PLACE, JSON.stringify(kept));
      return;
    } catch {
      // It is full: the next try is smaller.
    }
  }
}

function withoutSteps(histories: Kept["histories"]): Kept["histories"] {
  return Object.fromEntries(
    Object.entries(histories).map(([key, { now }]) => [key, { now, past: [], future: [] }]),
  );
}
