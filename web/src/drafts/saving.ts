/**
 * Saves the open draft by itself: a moment after the last command, one save in flight.
 *
 * Each save names the version it was drawn on. When somebody else's is newer, saving stops until a person has
 * chosen; what is drawn meanwhile stays in the browser.
 */
import { ApiFailure } from "../api/client";
import { saveDraft } from "../api/questions";
import type { Draft } from "../api/types";
import { words } from "../i18n";
import { remember } from "./memory";
import { type DraftState, memoryOf, useDraft } from "./store";

const PAUSE_MS = 800;
const RETRY_MS = 4_000;
const MOST_COMMANDS = 200;

/** Keeps saving until the returned function is called; that saves what is left. */
export function keepSaving(): () => void {
  let timer: number | undefined;
  let isBusy = false;

  const plan = (pause: number) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(save, pause);
  };
  const save = async () => {
    const state = useDraft.getState();
    if (isBusy || !state.draft || state.unsaved.length === 0 || state.theirs) return;
    isBusy = true;
    const isDone = await saveOnce(state);
    isBusy = false;
    const now = useDraft.getState();
    if (now.draft && now.unsaved.length > 0 && !now.theirs) plan(isDone ? PAUSE_MS : RETRY_MS);
  };
  const stop = useDraft.subscribe((state, before) => {
    if (state.drawing === before.drawing || !state.draft) return;
    void keep(state);
    if (state.unsaved.length > 0) plan(PAUSE_MS);
  });
  if (useDraft.getState().unsaved.length > 0) plan(PAUSE_MS);
  return () => {
    stop();
    window.clearTimeout(timer);
    void save();
  };
}

interface How {
  /** The version to save on, by default the one that was drawn on. */
  readonly base?: number;
  /** A name under which the version is kept. */
  readonly label?: string;
}

/** Saves what is drawn now; says whether it could. */
export async function saveOnce(state: DraftState, how: How = {}): Promise<boolean> {
  const { draft, drawing, unsaved } = state;
  const { base = state.version, label = "" } = how;
  useDraft.setState({ saving: "saving" });
  const commands = unsaved.slice(-MOST_COMMANDS).map(words);
  try {
    const saved = await saveDraft(draft, base, {
      pipeline: drawing.pipeline,
      commands,
      label,
    });
    accept(draft, saved.version, unsaved.length);
    return true;
  } catch (problem) {
    refuse(draft, problem);
    return false;
  }
}

function accept(draft: string, version: number, count: number): void {
  useDraft.setState((now) => {
    if (now.draft !== draft) return now;
    const unsaved = now.unsaved.slice(count);
    const saving = unsaved.length > 0 ? "waiting" : "saved";
    return { version, unsaved, saving, problem: "", theirs: null };
  });
  const now = useDraft.getState();
  if (now.draft === draft) void keep(now);
}

async function keep(state: DraftState): Promise<void> {
  const isKept = await remember(memoryOf(state));
  if (useDraft.getState().draft === state.draft) useDraft.setState({ isKept });
}

function refuse(draft: string, problem: unknown): void {
  if (useDraft.getState().draft !== draft) return;
  if (problem instanceof ApiFailure && problem.status === 412) {
    useDraft.setState({ saving: "conflict", theirs: problem.answer.theirs as Draft });
    return;
  }
  const message = problem instanceof Error ? problem.message : String(problem);
  useDraft.setState({ saving: "failed", problem: message });
}
