/** Where nodes come to lie when some are put in line, or at equal distances. */
import { NODE_SIZE, type Size } from "./layout";
import { findNode, type Pipeline, type Position, positionOf } from "./pipeline";

export const ARRANGEMENTS = ["alignLeft", "alignTop", "spreadAcross", "spreadDown"] as const;
export type Arrangement = (typeof ARRANGEMENTS)[number];

/**
 * Returns new places of nodes: with `alignLeft` and `alignTop`, at the outermost edge of them all; with `spreadAcross`
 * and `spreadDown`, with equal gaps between the first and the last, which stay where they are.
 *
 * @param sizes What is drawn; a node that is not in it has the usual size.
 */
export function arranged(
  pipeline: Pipeline,
  ids: readonly string[],
  sizes: ReadonlyMap<string, Size>,
  how: Arrangement,
): Map<string, Position> {
  const boxes = ids.flatMap((id) => {
    const node = findNode(pipeline, id);
    return node ? [{ id, place: positionOf(node), size: sizes.get(id) ?? NODE_SIZE }] : [];
  });
  const axis = how === "alignLeft" || how === "spreadAcross" ? 0 : 1;
  const starts = boxes.map(({ place }) => place[axis]);
  if (how === "alignLeft" || how === "alignTop") {
    const edge = Math.min(...starts);
    return new Map(boxes.map(({ id, place }) => [id, moved(place, axis, edge)]));
  }
  const lengthOf = ({ size }: { size: Size }) => (axis === 0 ? size.width : size.height);
  const inOrder = boxes.toSorted((a, b) => a.place[axis] - b.place[axis]);
  const covered = inOrder.slice(0, -1).reduce((sum, box) => sum + lengthOf(box), 0);
  const span = Math.max(...starts) - Math.min(...starts);
  const gap = (span - covered) / Math.max(inOrder.length - 1, 1);
  let next = Math.min(...starts);
  return new Map(
    inOrder.map((box) => {
      const place = moved(box.place, axis, next);
      next += lengthOf(box) + gap;
      return [box.id, place];
    }),
  );
}

function moved([x, y]: Position, axis: 0 | 1, to: number): Position {
  return axis === 0 ? [to, y] : [x, to];
}
