/** What kind of problem something is, in the page's language; the sentence beside it stays the engine's English. */
import type { Component } from "../graph/catalogue";
import type { ProblemName } from "../graph/outlook";
import { fromServer } from "./fromServer";

/** Returns the kind with what it is about, or nothing in the language in which the engine's sentence is. */
export function problemTitle(problem: ProblemName | undefined, component?: Component): string {
  if (!problem?.kind) return "";
  const kind = fromServer(problem.kind);
  if (kind === problem.kind) return "";
  const about = titleIn(problem, component);
  return about ? `${kind}\u00a0: ${about}` : kind;
}

function titleIn({ port, parameter }: ProblemName, component: Component | undefined): string {
  const name = port || parameter;
  if (!name || !component) return name;
  const { inputs, outputs, parameters, run_settings } = component;
  const all = port ? [...inputs, ...outputs] : [...parameters, ...run_settings];
  return all.find((one) => one.name === name)?.title ?? name;
}
