/** What lies under the pointer, and what it carries. */

const CARRIED = "application/x-imageloom-component";

export function carry(event: React.DragEvent, component: string): void {
  event.dataTransfer.setData(CARRIED, component);
  event.dataTransfer.effectAllowed = "copy";
}

export function componentIn(event: React.DragEvent): string {
  return event.dataTransfer.getData(CARRIED);
}

interface Spot {
  readonly clientX: number;
  readonly clientY: number;
}

export function edgeUnder(spot: Spot): string | null {
  return idUnder(spot, ".react-flow__edge");
}

export function nodeUnder(spot: Spot): string | null {
  return idUnder(spot, ".react-flow__node");
}

function idUnder({ clientX, clientY }: Spot, selector: string): string | null {
  for (const element of document.elementsFromPoint(clientX, clientY)) {
    const id = element.closest(selector)?.getAttribute("data-id");
    if (id) return id;
  }
  return null;
}

export function spotOf(event: MouseEvent | TouchEvent): Spot | null {
  if ("clientX" in event) return event;
  return event.changedTouches[0] ?? null;
}
