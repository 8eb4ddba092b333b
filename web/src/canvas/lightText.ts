/** What a node's light says, as short as it can: what it lacks or does now, or else its state. */
import type { TFunction } from "i18next";
import type { Component } from "../graph/catalogue";
import { atNode } from "../graph/outlook";
import { problemTitle } from "../i18n/problem";
import type { Light } from "./lights";

/** With these, what the node says of itself tells more than the state. */
const SPEAKING = new Set(["incomplete", "waiting", "running"]);

export function lightText(t: TFunction, light: Light, component: Component | undefined): string {
  const state = t(`light.${light.kind}`);
  if (!SPEAKING.has(light.kind)) return state;
  return problemTitle(light.problem, component) || atNode(light.why) || state;
}
