/** A node on the map, in the colour of its light. */
import type { MiniMapNodeProps } from "@xyflow/react";
import { LIGHTS, useLights } from "./lights";

export function MapNode({ id, x, y, width, height }: MiniMapNodeProps) {
  const kind = useLights(({ lights }) => lights[id]?.kind ?? "unknown");
  return (
    <rect
      x={x}
      y={y}
      width={width}
      height={height}
      rx={8}
      fill={LIGHTS[kind].tone}
      opacity={0.75}
    />
  );
}
