/** How large the nodes are that are drawn, for tidying them. */
import { useReactFlow } from "@xyflow/react";
import { useCallback } from "react";
import { NODE_SIZE, type Size } from "../graph/layout";

export function useSizes(): () => Map<string, Size> {
  const { getNodes } = useReactFlow();
  return useCallback(
    () =>
      new Map(
        getNodes().map(({ id, measured }) => [
          id,
          {
            width: measured?.width ?? NODE_SIZE.width,
            height: measured?.height ?? NODE_SIZE.height,
          },
        ]),
      ),
    [getNodes],
  );
}
