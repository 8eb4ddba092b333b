/**
 * What a command does, as steps that can be undone: each says what stood at a place before and after it.
 *
 * Steps are plain values, so a history of them survives a reload. A step that does not find what it expects is
 * our own mistake, and throws.
 */
import { type Json, type JsonObject, withKey } from "./json";
import { edgesOf, type GraphEdge, type GraphNode, type Pipeline } from "./pipeline";

export type Step =
  | {
      readonly at: "node";
      readonly index: number;
      readonly before?: GraphNode;
      readonly after?: GraphNode;
    }
  | {
      readonly at: "edge";
      readonly index: number;
      readonly before?: GraphEdge;
      readonly after?: GraphEdge;
    }
  | { readonly at: "head"; readonly key: string; readonly before?: Json; readonly after?: Json };

/** What was done, for people: a key of the texts and what stands in them. */
export interface Label {
  readonly key: string;
  readonly values?: Readonly<Record<string, string | number>>;
}

/**
 * A named command. Two that follow each other with the same `merge` are one: arrows that move a node, say.
 */
export interface Command {
  readonly label: Label;
  readonly steps: readonly Step[];
  readonly merge?: string;
}

export function inverse(step: Step): Step {
  const { before, after, ...place } = step;
  return {
    ...place,
    ...(after === undefined ? {} : { before: after }),
    ...(before === undefined ? {} : { after: before }),
  } as Step;
}

export function applySteps(pipeline: Pipeline, steps: readonly Step[]): Pipeline {
  const nodes = [...pipeline.nodes];
  const edges = [...edgesOf(pipeline)];
  let head: Pipeline = pipeline;
  for (const step of steps) {
    if (step.at === "node") replace(nodes, step.index, step.before, step.after);
    else if (step.at === "edge") replace(edges, step.index, step.before, step.after);
    else head = withKey(head, step.key, step.after);
  }
  return { ...head, nodes, edges };
}

function replace<T extends JsonObject>(list: T[], index: number, before?: T, after?: T): void {
  const isThere = before === undefined ? index <= list.length : index < list.length;
  if (!isThere) throw new RangeError(`A step is for place ${index}, but there are ${list.length}.`);
  list.splice(index, before === undefined ? 0 : 1, ...(after === undefined ? [] : [after]));
}

/** Collects the steps of one command; `pipeline` is what they make of it so far. */
export class Change {
  readonly steps: Step[] = [];
  pipeline: Pipeline;

  constructor(start: Pipeline) {
    this.pipeline = start;
  }

  addNode(node: GraphNode): void {
    this.do({ at: "node", index: this.pipeline.nodes.length, after: node });
  }

  /** Puts another node in the place of one; nothing happens when there is no such node. */
  setNode(id: string, make: (node: GraphNode) => GraphNode | undefined): void {
    const index = this.pipeline.nodes.findIndex((node) => node.id === id);
    const before = this.pipeline.nodes[index];
    if (!before) return;
    const after = make(before);
    if (after === before) return;
    this.do({ at: "node", index, before, ...(after ? { after } : {}) });
  }

  addEdge(edge: GraphEdge): void {
    this.do({ at: "edge", index: edgesOf(this.pipeline).length, after: edge });
  }

  /** Takes edges away; returns them. */
  removeEdges(isGone: (edge: GraphEdge) => boolean): GraphEdge[] {
    const removed: GraphEdge[] = [];
    for (let index = edgesOf(this.pipeline).length - 1; index >= 0; index -= 1) {
      const before = edgesOf(this.pipeline)[index];
      if (!before || !isGone(before)) continue;
      this.do({ at: "edge", index, before });
      removed.unshift(before);
    }
    return removed;
  }

  setHead(key: string, after: Json | undefined): void {
    const before = this.pipeline[key];
    if (before === after) return;
    this.do({
      at: "head",
      key,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
  }

  /** Adds steps that were made on what this change has come to. */
  take(steps: readonly Step[]): void {
    for (const step of steps) this.do(step);
  }

  /** Returns the command, or null when nothing would change. */
  done(label: Label, merge?: string): Command | null {
    if (this.steps.length === 0) return null;
    return { label, steps: this.steps, ...(merge === undefined ? {} : { merge }) };
  }

  private do(step: Step): void {
    this.steps.push(step);
    this.pipeline = applySteps(this.pipeline, [step]);
  }
}
