/** What was done and undone: named commands, forwards and back, and as JSON across a reload. */
import { applySteps, type Command, inverse, type Step } from "./change";
import type { Pipeline } from "./pipeline";

export interface History {
  readonly past: readonly Command[];
  readonly future: readonly Command[];
}

export interface Drawing {
  readonly pipeline: Pipeline;
  readonly history: History;
}

export const NO_HISTORY: History = { past: [], future: [] };
const MOST_COMMANDS = 1000;

/** Does a command; what was undone before it is forgotten. */
export function perform(drawing: Drawing, command: Command, most = MOST_COMMANDS): Drawing {
  const { past } = drawing.history;
  const last = past.at(-1);
  const joined =
    last && command.merge !== undefined && last.merge === command.merge
      ? [...past.slice(0, -1), joinedOf(last, command)]
      : [...past, command];
  return {
    pipeline: applySteps(drawing.pipeline, command.steps),
    history: { past: joined.slice(-most), future: [] },
  };
}

export function undo(drawing: Drawing): Drawing {
  const { past, future } = drawing.history;
  const command = past.at(-1);
  if (!command) return drawing;
  return {
    pipeline: applySteps(drawing.pipeline, command.steps.toReversed().map(inverse)),
    history: { past: past.slice(0, -1), future: [command, ...future] },
  };
}

export function redo(drawing: Drawing): Drawing {
  const { past, future } = drawing.history;
  const [command, ...rest] = future;
  if (!command) return drawing;
  return {
    pipeline: applySteps(drawing.pipeline, command.steps),
    history: { past: [...past, command], future: rest },
  };
}

/** Joins steps at the same place, so that a hundred arrow keys leave one step and not a hundred. */
function joinedOf(first: Command, second: Command): Command {
  const all = [...first.steps, ...second.steps];
  if (!all.every((step) => step.before !== undefined && step.after !== undefined)) {
    return { ...second, steps: all }; // places shift when something is added or removed
  }
  const joined = new Map<string, Step>();
  for (const step of all) {
    const place = step.at === "head" ? `head ${step.key}` : `${step.at} ${step.index}`;
    const before = joined.get(place)?.before;
    joined.set(place, before === undefined ? step : ({ ...step, before } as Step));
  }
  return { ...second, steps: [...joined.values()] };
}
