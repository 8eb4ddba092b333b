/** What stands on each node: before a run what it would do there, in a run how far it is. */
import { create } from "zustand";
import type { ProblemName } from "../graph/outlook";
import type { IconName } from "../icons/Icon";

export type LightKind =
  | "unknown"
  | "ready"
  | "done"
  | "incomplete"
  | "blocked"
  | "waiting"
  | "running"
  | "completed"
  | "warned"
  | "cached"
  | "failed"
  | "cancelled"
  | "interrupted"
  | "skipped";

export interface Light {
  readonly kind: LightKind;
  readonly why: string;
  readonly hint: string;
  readonly problem?: ProblemName | undefined;
}

/** A state is told by an icon and a word; colour only helps. */
export const LIGHTS: Readonly<Record<LightKind, { icon: IconName; tone: string }>> = {
  unknown: { icon: "ready", tone: "var(--quiet)" },
  ready: { icon: "ready", tone: "var(--quiet)" },
  done: { icon: "cached", tone: "var(--good)" },
  incomplete: { icon: "warning", tone: "var(--care)" },
  blocked: { icon: "blocked", tone: "var(--quiet)" },
  waiting: { icon: "waiting", tone: "var(--quiet)" },
  running: { icon: "running", tone: "var(--busy)" },
  completed: { icon: "check", tone: "var(--good)" },
  warned: { icon: "warning", tone: "var(--care)" },
  cached: { icon: "cached", tone: "var(--good)" },
  failed: { icon: "failed", tone: "var(--bad)" },
  cancelled: { icon: "cancelled", tone: "var(--care)" },
  interrupted: { icon: "failed", tone: "var(--care)" },
  skipped: { icon: "skipped", tone: "var(--quiet)" },
};

export const UNKNOWN: Light = { kind: "unknown", why: "", hint: "" };

type Lights = Readonly<Record<string, Light>>;

export const useLights = create<{ readonly lights: Lights }>()(() => ({ lights: named({}) }));

export function setLights(lights: Lights): void {
  useLights.setState({ lights: named(lights) });
}

/** Returns lights under their names alone: a node may be called `constructor`, which every object has. */
function named(lights: Lights): Lights {
  return Object.assign(Object.create(null), lights);
}
