/** The lights of a run's nodes, from what its files say and what is told live. */
import type { NodeNow, RunDetail, RunNow } from "../api/types";
import { i18n } from "../i18n";
import type { Light, LightKind } from "./lights";

const KINDS: Readonly<Record<string, LightKind>> = {
  waiting: "waiting",
  running: "running",
  completed: "completed",
  "completed with warnings": "warned",
  cached: "cached",
  failed: "failed",
  cancelled: "cancelled",
  interrupted: "interrupted",
  "not run": "skipped",
};

/** Returns the light of each node; one that was not asked for is not run. */
export function runLights(run: RunDetail, now: RunNow | null): Record<string, Light> {
  const wanted = new Set(run.wanted);
  const ids = run.pipeline.nodes as readonly { id: string }[];
  return Object.fromEntries(
    ids.map(({ id }): [string, Light] => {
      const live = now?.nodes[id];
      const facts = run.nodes[id];
      const state = live?.state ?? facts?.state ?? (wanted.has(id) ? "waiting" : "not run");
      const kind = KINDS[state] ?? "unknown";
      return [id, { kind, why: live ? sentenceOf(live) : (facts?.message ?? ""), hint: "" }];
    }),
  );
}

function sentenceOf({ state, progress, message }: NodeNow): string {
  if (state !== "running" || !progress?.total) return message;
  const percent = Math.floor((100 * progress.done) / progress.total);
  return i18n.t("light.runningFor", { percent });
}
