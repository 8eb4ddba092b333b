/** What a run would do at each node, as far as it is known: what waits for an incomplete node waits too. */
import { findNode, type Pipeline, reachable } from "./pipeline";

export type OutlookState = "ready" | "done" | "incomplete" | "blocked" | "unknown";

/** What kind of problem something is, for programs, and at which port or parameter. */
export interface ProblemName {
  readonly kind: string;
  readonly port: string;
  readonly parameter: string;
}

export interface Outlook {
  readonly kind: OutlookState;
  readonly why: string;
  readonly hint: string;
  readonly problem?: ProblemName | undefined;
}

/**
 * Completes what the server said of some nodes.
 *
 * It says nothing of nodes while others lack something, and looks at each file alone: a node that is ready and comes
 * after an incomplete one cannot run either.
 *
 * @param told What the server said, by node.
 */
export function completed(
  pipeline: Pipeline,
  told: ReadonlyMap<string, Outlook>,
): Map<string, Outlook> {
  const incomplete = [...told].filter(([, one]) => one.kind === "incomplete").map(([id]) => id);
  const after = reachable(pipeline, incomplete, "after");
  const outlooks = pipeline.nodes.map(({ id }): [string, Outlook] => {
    const known = told.get(id) ?? { kind: "unknown", why: "", hint: "" };
    const waits = after.has(id) && (known.kind === "ready" || known.kind === "unknown");
    return [id, waits ? { ...known, kind: "blocked" } : known];
  });
  return new Map(outlooks);
}

/** Returns what was said of a node as it is read at the node itself, which need not be named again. */
export function atNode(message: string): string {
  const rest = message.replace(/^Node '[^']*'(?: \([^)]*\))?:? /, "");
  const isName = /^\w*_/.test(rest); // names of parameters stay as they are
  return isName ? rest : rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** Something to put right at a node, or at the whole. */
export interface Lack {
  readonly node: string;
  readonly message: string;
  readonly hint: string;
  readonly problem?: ProblemName | undefined;
}

/** What is known of a node, be it an outlook or the state in a run. */
interface Noted extends Omit<Outlook, "kind"> {
  readonly kind: string;
}

/** Returns all that is missing, once each: what a check found, and what nodes lack beside it. */
export function lacks(
  pipeline: Pipeline,
  problems: readonly Lack[],
  outlooks: Readonly<Record<string, Noted>>,
): readonly Lack[] {
  const found = [...problems];
  for (const [node, { kind, why, hint, problem }] of Object.entries(outlooks)) {
    const isNew = !found.some((one) => one.node === node);
    if (kind === "incomplete" && isNew && findNode(pipeline, node)) {
      found.push({ node, message: why, hint, problem });
    }
  }
  return found;
}
