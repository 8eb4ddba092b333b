/** The graph of a run, to look at: lights tell how far each node is, a press shows what is known of it. */
import { useEffect, useMemo } from "react";
import type { RunDetail, RunNow } from "../api/types";
import { placed } from "../graph/layout";
import type { Pipeline } from "../graph/pipeline";
import { go } from "../shell/route";
import { setLights } from "./lights";
import { runLights } from "./runLights";
import { SeenGraph } from "./SeenGraph";

interface RunGraphProps {
  run: RunDetail;
  now: RunNow | null;
  chosen: string;
}

export function RunGraph({ run, now, chosen }: RunGraphProps) {
  // What was asked for never changes: the run is read anew for its states alone.
  const pipeline = useMemo(() => placed(run.pipeline as unknown as Pipeline), [run.id]);
  useEffect(() => setLights(runLights(run, now)), [run, now]);
  useEffect(() => () => setLights({}), []);
  const show = (id: string) => go({ view: "run", id: run.id, node: id });
  return <SeenGraph pipeline={pipeline} chosen={chosen} onChoose={show} />;
}
