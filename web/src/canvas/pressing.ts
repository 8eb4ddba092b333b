/** Opens the menu of what is pressed: for long with a finger, with the other button, or by the menu key. */
import { useReactFlow } from "@xyflow/react";
import { useRef } from "react";
import { setTools, useTools } from "./tools";

const LONG_MS = 500;
const STILL_PX = 10;

interface Finger {
  readonly pointer: number;
  readonly x: number;
  readonly y: number;
  readonly timer: number;
}

export function usePressing() {
  const { screenToFlowPosition } = useReactFlow();
  const finger = useRef<Finger | null>(null);

  const open = (target: Element, x: number, y: number) => {
    const item = target.closest(".react-flow__node, .react-flow__edge");
    const isPane = target.classList.contains("react-flow__pane");
    if (!item && !isPane) return false;
    const kind = isPane ? "pane" : item?.classList.contains("react-flow__node") ? "node" : "edge";
    const place = screenToFlowPosition({ x, y });
    setTools({
      pressed: {
        kind,
        id: item?.getAttribute("data-id") ?? "",
        at: [x, y],
        place: [place.x, place.y],
      },
    });
    return true;
  };
  const lift = () => {
    if (finger.current) window.clearTimeout(finger.current.timer);
    finger.current = null;
  };
  return {
    onPointerDownCapture: (event: React.PointerEvent) => {
      lift(); // a second finger means a pinch
      if (event.pointerType !== "touch" || !event.isPrimary) return;
      const { target, pointerId: pointer, clientX: x, clientY: y } = event;
      const timer = window.setTimeout(() => open(target as Element, x, y), LONG_MS);
      finger.current = { pointer, x, y, timer };
    },
    onPointerMoveCapture: (event: React.PointerEvent) => {
      const down = finger.current;
      if (!down || down.pointer !== event.pointerId) return;
      if (Math.hypot(event.clientX - down.x, event.clientY - down.y) > STILL_PX) lift();
    },
    onPointerUpCapture: lift,
    onPointerCancelCapture: lift,
    onContextMenu: (event: React.MouseEvent) => {
      const isOpen = useTools.getState().pressed !== null; // some browsers tell of a long press, too
      if (isOpen || open(event.target as Element, event.clientX, event.clientY)) {
        event.preventDefault();
      }
    },
  };
}
