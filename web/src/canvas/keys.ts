/** The keys of the canvas. They rest while a person types, or a dialog is open. */
import { useReactFlow } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { redoNext, select, undoLast, useDraft } from "../drafts/store";
import type { Arrangement } from "../graph/arrange";
import { fragmentOf } from "../graph/clipboard";
import type { Position } from "../graph/pipeline";
import { nearest } from "../graph/walk";
import * as actions from "./actions";
import { useSizes } from "./sizes";
import { useSurroundings } from "./surroundings";
import { say, setTools } from "./tools";

const STEP = 8;
const LONG_STEP = 40;
const ARROWS: Readonly<Record<string, Position>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
// With Shift; told in KeysDialog.
const ARRANGING: Readonly<Record<string, Arrangement>> = {
  L: "alignLeft",
  T: "alignTop",
  H: "spreadAcross",
  V: "spreadDown",
};

export function useKeys(selectedEdges: ReadonlySet<string>): void {
  const { catalogue } = useSurroundings();
  const { fitView, screenToFlowPosition } = useReactFlow();
  const sizes = useSizes();
  const keepsLinks = useRef(false);
  const press = useRef((_: KeyboardEvent) => {});

  press.current = (event) => {
    if (isElsewhere(event)) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const done = isCommand ? withControl(event) : alone(event);
    if (done) event.preventDefault();
  };
  const withControl = (event: KeyboardEvent): boolean => {
    switch (event.key.toLowerCase()) {
      case "z":
        event.shiftKey ? redoNext() : undoLast();
        return true;
      case "y":
        redoNext();
        return true;
      case "a":
        select(useDraft.getState().drawing.pipeline.nodes.map((node) => node.id));
        return true;
      case "delete":
      case "backspace":
        actions.remove(catalogue, true);
        return true;
      case "v":
        keepsLinks.current = event.shiftKey;
        return false; // the browser's own paste follows
      default:
        return false;
    }
  };
  const alone = (event: KeyboardEvent): boolean => {
    const [only, ...others] = useDraft.getState().selection;
    const single = only !== undefined && others.length === 0 ? only : null;
    const arrow = ARROWS[event.key];
    if (arrow) return event.altKey ? walk(single, arrow) : nudge(event.shiftKey, arrow);
    if (event.altKey) return false;
    const how = event.shiftKey ? ARRANGING[event.key] : undefined;
    if (how) {
      actions.arrange(how, sizes());
      return true;
    }
    switch (event.key) {
      case "/":
        openAdd();
        return true;
      case "?":
        setTools({ isKeysOpen: true });
        return true;
      case "Delete":
      case "Backspace":
        if (selectedEdges.size > 0 && only === undefined) actions.cut(selectedEdges);
        else actions.remove(catalogue, false);
        return true;
      case "F2":
        if (single) setTools({ renaming: single });
        return single !== null;
      case "c":
        if (single) setTools({ connecting: single });
        return single !== null;
      case "t":
        actions.tidy(sizes());
        return true;
      case "f":
        void fitView({ padding: 0.12, maxZoom: 1 });
        return true;
      case "Escape":
        select([]);
        setTools({ notice: null, adding: null });
        return true;
      default:
        return false;
    }
  };
  const nudge = (isLong: boolean, [x, y]: Position): boolean => {
    const step = isLong ? LONG_STEP : STEP;
    actions.nudge(catalogue, [x * step, y * step]);
    return true;
  };
  const walk = (from: string | null, direction: Position): boolean => {
    const next = nearest(useDraft.getState().drawing.pipeline, from, direction);
    if (next) focusNode(next);
    return true;
  };
  const openAdd = () => {
    const box = document.querySelector(".react-flow")?.getBoundingClientRect();
    if (!box) return;
    const at: Position = [box.left + box.width / 2 - 150, box.top + box.height / 4];
    const { x, y } = screenToFlowPosition({
      x: box.left + box.width / 2 - 112,
      y: box.top + box.height / 2,
    });
    setTools({ adding: { wanted: { kind: "any" }, at, place: [x, y] } });
  };

  const clip = useRef({ copy: (_: ClipboardEvent) => {}, paste: (_: ClipboardEvent) => {} });
  clip.current = {
    copy: (event) => {
      const text = isElsewhere(event) ? null : actions.selectedText();
      if (text === null || window.getSelection()?.toString()) return;
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
      if (event.type === "cut") actions.remove(catalogue, false);
    },
    paste: (event) => {
      if (isElsewhere(event)) return;
      const fragment = fragmentOf(event.clipboardData?.getData("text/plain") ?? "");
      if (!fragment) return say({ key: "canvas.nothingToPaste" });
      const box = document.querySelector(".react-flow")?.getBoundingClientRect();
      const { x, y } = screenToFlowPosition({
        x: (box?.left ?? 0) + (box?.width ?? 0) / 3,
        y: (box?.top ?? 0) + (box?.height ?? 0) / 3,
      });
      actions.pasteAt(fragment, [Math.round(x), Math.round(y)], keepsLinks.current);
      keepsLinks.current = false;
    },
  };

  useEffect(() => {
    const onPress = (event: KeyboardEvent) => press.current(event);
    const onCopy = (event: ClipboardEvent) => clip.current.copy(event);
    const onPaste = (event: ClipboardEvent) => clip.current.paste(event);
    window.addEventListener("keydown", onPress);
    window.addEventListener("copy", onCopy);
    window.addEventListener("cut", onCopy);
    window.addEventListener("paste", onPaste);
    return () => {
      window.removeEventListener("keydown", onPress);
      window.removeEventListener("copy", onCopy);
      window.removeEventListener("cut", onCopy);
      window.removeEventListener("paste", onPaste);
    };
  }, []);
}

/** Selects a node and gives it the focus. */
export function focusNode(id: string): void {
  select([id]);
  const element = document.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
  if (element instanceof HTMLElement) element.focus();
}

function isElsewhere(event: Event): boolean {
  const target = event.target as Element | null;
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest("input, textarea, select, [role=dialog], [role=menu], [role=listbox]") !== null
  );
}
