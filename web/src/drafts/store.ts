/** The pipeline that is open: the drawing, what of it is not saved, and what is selected. */
import { create } from "zustand";
import type { Draft } from "../api/types";
import type { Command, Label } from "../graph/change";
import { type DraftMemory, MEMORY_FORMAT } from "../graph/draftMemory";
import { type Drawing, NO_HISTORY, perform, redo, undo } from "../graph/history";
import { EMPTY } from "../graph/pipeline";
import { words } from "../i18n";

export type Saving = "saved" | "waiting" | "saving" | "failed" | "conflict";

export interface DraftState {
  /** Empty until a draft is loaded: nothing can be drawn before. */
  readonly draft: string;
  readonly version: number;
  readonly drawing: Drawing;
  readonly unsaved: readonly Label[];
  readonly saving: Saving;
  /** Why the last save failed. */
  readonly problem: string;
  /** Whether this browser keeps what is not saved: some private windows keep nothing. */
  readonly isKept: boolean;
  /** The newest version, by somebody else, when ours was drawn on an older one. */
  readonly theirs: Draft | null;
  readonly selection: ReadonlySet<string>;
}

const CLOSED: DraftState = {
  draft: "",
  version: 0,
  drawing: { pipeline: EMPTY, history: NO_HISTORY },
  unsaved: [],
  saving: "saved",
  problem: "",
  isKept: true,
  theirs: null,
  selection: new Set(),
};

export const useDraft = create<DraftState>()(() => CLOSED);

export function openDraft(opened: Partial<DraftState> & { draft: string }): void {
  useDraft.setState({ ...CLOSED, ...opened }, true);
}

export function closeDraft(): void {
  useDraft.setState(CLOSED, true);
}

/** Does a command; null, for one that would change nothing, is fine. */
export function run(command: Command | null): void {
  if (!command) return;
  change((drawing) => perform(drawing, command), command.label);
}

export function undoLast(): void {
  const last = useDraft.getState().drawing.history.past.at(-1);
  if (last) change(undo, { key: "command.undo", values: { what: words(last.label) } });
}

export function redoNext(): void {
  const next = useDraft.getState().drawing.history.future[0];
  if (next) change(redo, { key: "command.redo", values: { what: words(next.label) } });
}

export function select(ids: Iterable<string>): void {
  useDraft.setState({ selection: new Set(ids) });
}

/** What the browser keeps of an open draft. */
export function memoryOf(state: DraftState): DraftMemory {
  const { draft, version, drawing, unsaved } = state;
  return { format: MEMORY_FORMAT, draft, version, drawing, unsaved };
}

function change(make: (drawing: Drawing) => Drawing, label: Label): void {
  useDraft.setState((state) => {
    if (!state.draft) return state;
    const drawing = make(state.drawing);
    const here = new Set(drawing.pipeline.nodes.map((node) => node.id));
    const selection = new Set([...state.selection].filter((id) => here.has(id)));
    return {
      drawing,
      unsaved: [...state.unsaved, label],
      selection: selection.size === state.selection.size ? state.selection : selection,
      saving: state.saving === "conflict" ? "conflict" : "waiting",
    };
  });
}
