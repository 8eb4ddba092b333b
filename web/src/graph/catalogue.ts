/** What components say of themselves, as the drawing needs it. No component is known by name. */
import type { Json } from "./json";
import type { GraphNode } from "./pipeline";

export interface Port {
  readonly name: string;
  readonly type: string;
  readonly title: string;
  readonly help: string;
  readonly optional: boolean;
  /** Of an output: the parameter without which it is not there. */
  readonly given_by: string;
}

export interface Parameter {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  readonly default?: Json | undefined;
  readonly optional: boolean;
  readonly choices: readonly Json[];
  /** What may stand in place of a number. */
  readonly words: readonly string[];
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly exclusive: readonly string[];
  readonly range_text: string;
  readonly unit: string;
  readonly help: string;
  readonly section: string;
  readonly shown_when: { readonly parameter: string; readonly values: readonly Json[] } | null;
}

export interface Component {
  readonly name: string;
  readonly title: string;
  readonly help: string;
  readonly category: string;
  readonly version: number;
  readonly demand: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly parameters: readonly Parameter[];
  readonly run_settings: readonly Parameter[];
}

export interface PortType {
  readonly name: string;
  readonly title: string;
  readonly help: string;
  readonly colour: string;
}

export interface Catalogue {
  readonly components: ReadonlyMap<string, Component>;
  readonly portTypes: ReadonlyMap<string, PortType>;
}

export function catalogueOf(
  components: readonly Component[],
  portTypes: readonly PortType[],
): Catalogue {
  return {
    components: new Map(components.map((one) => [one.name, one])),
    portTypes: new Map(portTypes.map((one) => [one.name, one])),
  };
}

/** Returns what stands on the node: its own title, its component's, or the name of one not installed. */
export function titleOf(node: GraphNode, catalogue: Catalogue): string {
  return node.title || catalogue.components.get(node.component)?.title || node.component;
}

export function currentValue(node: GraphNode, parameter: Parameter): Json {
  return node.params?.[parameter.name] ?? parameter.default ?? null;
}

/** Whether an output is there with the node's parameters. */
export function isGiven(port: Port, node: GraphNode, component: Component): boolean {
  if (!port.given_by) return true;
  const parameter = component.parameters.find((one) => one.name === port.given_by);
  const value = parameter ? currentValue(node, parameter) : node.params?.[port.given_by];
  return value !== null && value !== undefined && value !== false;
}

/** Whether a parameter matters with the node's other values. */
export function isShown(parameter: Parameter, node: GraphNode, component: Component): boolean {
  const when = parameter.shown_when;
  if (!when) return true;
  const other = component.parameters.find((one) => one.name === when.parameter);
  return other === undefined || when.values.some((value) => value === currentValue(node, other));
}
