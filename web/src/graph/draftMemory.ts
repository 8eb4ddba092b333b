/** What a browser keeps of a drawing, so that a reload loses neither the last strokes nor undo. */
import type { Label } from "./change";
import { type Drawing, NO_HISTORY } from "./history";
import { isSame } from "./json";
import type { Pipeline } from "./pipeline";

export const MEMORY_FORMAT = 1;

export interface DraftMemory {
  readonly format: number;
  readonly draft: string;
  /** The version on the server that this was drawn on. */
  readonly version: number;
  readonly drawing: Drawing;
  /** What was done since that version. */
  readonly unsaved: readonly Label[];
}

export type Recalled =
  | { readonly kind: "fresh"; readonly drawing: Drawing }
  | { readonly kind: "kept"; readonly drawing: Drawing; readonly unsaved: readonly Label[] }
  | { readonly kind: "conflict"; readonly mine: DraftMemory };

/**
 * Decides between what the server has and what the browser kept.
 *
 * A save that arrived while the page was killed leaves the server one version ahead with the same graph: that is no
 * conflict. Somebody else's version is one only when something here was not saved.
 */
export function recall(memory: DraftMemory | null, version: number, pipeline: Pipeline): Recalled {
  const fresh: Recalled = { kind: "fresh", drawing: { pipeline, history: NO_HISTORY } };
  if (memory === null || memory.format !== MEMORY_FORMAT) return fresh;
  if (isSame(memory.drawing.pipeline, pipeline)) {
    return { kind: "kept", drawing: memory.drawing, unsaved: [] };
  }
  if (memory.version === version) {
    return { kind: "kept", drawing: memory.drawing, unsaved: memory.unsaved };
  }
  return memory.unsaved.length > 0 ? { kind: "conflict", mine: memory } : fresh;
}
