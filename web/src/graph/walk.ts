/** Which node lies next in a direction: how arrow keys walk over the graph. */
import { type Pipeline, type Position, positionOf } from "./pipeline";

const SIDEWAYS = 2;

/** Returns the nearest node that way, or the first one when there is no start; null when there is none. */
export function nearest(
  pipeline: Pipeline,
  from: string | null,
  [dx, dy]: Position,
): string | null {
  const start = pipeline.nodes.find((node) => node.id === from);
  if (!start) return pipeline.nodes[0]?.id ?? null;
  const [x, y] = positionOf(start);
  let best: { id: string; distance: number } | null = null;
  for (const node of pipeline.nodes) {
    const [otherX, otherY] = positionOf(node);
    const ahead = (otherX - x) * dx + (otherY - y) * dy;
    const aside = Math.abs((otherX - x) * dy) + Math.abs((otherY - y) * dx);
    const distance = ahead + SIDEWAYS * aside;
    if (ahead > 0 && (best === null || distance < best.distance)) best = { id: node.id, distance };
  }
  return best?.id ?? null;
}
