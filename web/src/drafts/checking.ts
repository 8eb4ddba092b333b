/** Has the server look at what is drawn: a moment after the last command, the newest question alone. */
import { create } from "zustand";
import { checkPipeline } from "../api/questions";
import type { CheckedPipeline, ProblemInfo } from "../api/types";
import { setLights } from "../canvas/lights";
import { withKey } from "../graph/json";
import { completed, type Outlook } from "../graph/outlook";
import type { Pipeline } from "../graph/pipeline";
import { useDraft } from "./store";

const PAUSE_MS = 250;
const AGAIN_MS = 4_000;

interface Checked {
  readonly problems: readonly ProblemInfo[];
  /** Whether what is shown is of the graph as it is drawn now. */
  readonly isFresh: boolean;
}

export const useChecked = create<Checked>()(() => ({ problems: [], isFresh: false }));

/** Keeps asking until the returned function is called. */
export function keepChecking(): () => void {
  let timer: number | undefined;
  let asked = "";
  let asking = new AbortController();

  const check = async () => {
    asking.abort();
    asking = new AbortController();
    const { pipeline } = useDraft.getState().drawing;
    try {
      show(pipeline, await checkPipeline(pipeline, asking.signal));
    } catch (problem) {
      if (problem instanceof DOMException) return;
      timer = window.setTimeout(check, AGAIN_MS); // the server may be back then
    }
  };
  const plan = (pipeline: Pipeline) => {
    const wanted = matterOf(pipeline);
    if (wanted === asked) return;
    asked = wanted;
    useChecked.setState({ isFresh: false });
    window.clearTimeout(timer);
    timer = window.setTimeout(check, PAUSE_MS);
  };
  const stop = useDraft.subscribe((state, before) => {
    if (state.draft && state.drawing !== before.drawing) plan(state.drawing.pipeline);
  });
  plan(useDraft.getState().drawing.pipeline);
  return () => {
    stop();
    window.clearTimeout(timer);
    asking.abort();
    useChecked.setState({ problems: [], isFresh: false });
    setLights({});
  };
}

function show(pipeline: Pipeline, checked: CheckedPipeline): void {
  useChecked.setState({ problems: checked.problems, isFresh: true });
  const told = Object.entries(checked.nodes).map(([id, one]): [string, Outlook] => [
    id,
    { kind: one.state, why: one.why, hint: one.hint, problem: one.problem ?? undefined },
  ]);
  setLights(Object.fromEntries(completed(pipeline, new Map(told))));
}

/** Where nodes lie, and notes on them, change nothing: a drag asks no question. */
function matterOf(pipeline: Pipeline): string {
  const nodes = pipeline.nodes.map((node) =>
    withKey(
      withKey(withKey(node, "position", undefined), "comment", undefined),
      "title",
      undefined,
    ),
  );
  return JSON.stringify([nodes, pipeline.edges ?? []]);
}
