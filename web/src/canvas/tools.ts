/** Which tool is open on the canvas, and what was last said about a stroke that was refused. */
import { create } from "zustand";
import type { Label } from "../graph/change";
import type { End, Position } from "../graph/pipeline";

/** What the list for adding is asked for. */
export type Wanted =
  | { readonly kind: "any" }
  | {
      readonly kind: "wire";
      readonly end: End;
      readonly side: "input" | "output";
      readonly type: string;
    }
  | { readonly kind: "edge"; readonly edge: string; readonly type: string };

export interface Adding {
  readonly wanted: Wanted;
  /** Where the list opens, in pixels of the window. */
  readonly at: Position;
  /** Where the node comes to lie, on the canvas. */
  readonly place: Position;
}

/** What was pressed for its menu: the menu opens at a place of the window, which lies at a place of the canvas. */
export interface Pressed {
  readonly kind: "node" | "edge" | "pane";
  readonly id: string;
  readonly at: Position;
  readonly place: Position;
}

interface Tools {
  readonly adding: Adding | null;
  readonly pressed: Pressed | null;
  readonly connecting: string | null;
  readonly renaming: string | null;
  readonly isKeysOpen: boolean;
  readonly notice: Label | null;
}

export const useTools = create<Tools>()(() => ({
  adding: null,
  pressed: null,
  connecting: null,
  renaming: null,
  isKeysOpen: false,
  notice: null,
}));

export const setTools = useTools.setState;

export function say(notice: Label): void {
  setTools({ notice });
}
