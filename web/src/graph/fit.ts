/** Which outputs fit which inputs, and a sentence why one does not. */
import { type Catalogue, type Component, isGiven, type Port, titleOf } from "./catalogue";
import type { Label } from "./change";
import { type End, edgesOf, findNode, type Pipeline, reachable, textOf } from "./pipeline";

/** Returns why an edge must not be drawn, or null where it may. An input that is taken is no reason. */
export function whyNot(pipeline: Pipeline, catalogue: Catalogue, from: End, to: End): Label | null {
  const [first, second] = [findNode(pipeline, from.node), findNode(pipeline, to.node)];
  if (!first || !second) return { key: "fit.noNode" };
  if (from.node === to.node) return { key: "fit.itself" };
  const [giver, taker] = [
    catalogue.components.get(first.component),
    catalogue.components.get(second.component),
  ];
  const output = giver?.outputs.find((port) => port.name === from.port);
  const input = taker?.inputs.find((port) => port.name === to.port);
  if (!giver || !output) return { key: "fit.noPort", values: { node: titleOf(first, catalogue) } };
  if (!input) return { key: "fit.noPort", values: { node: titleOf(second, catalogue) } };
  if (!isGiven(output, first, giver)) {
    const named = giver.parameters.find((one) => one.name === output.given_by);
    const parameter = named?.title ?? output.given_by;
    return { key: "fit.notGiven", values: { output: output.title, parameter } };
  }
  if (output.type !== input.type) {
    return {
      key: "fit.types",
      values: {
        output: output.title,
        outputType: typeTitle(catalogue, output.type),
        input: input.title,
        inputType: typeTitle(catalogue, input.type),
      },
    };
  }
  if (edgesOf(pipeline).some((edge) => edge.from === textOf(from) && edge.to === textOf(to))) {
    return { key: "fit.there" };
  }
  if (reachable(pipeline, [to.node], "after").has(from.node)) {
    return { key: "fit.cycle", values: { node: titleOf(second, catalogue) } };
  }
  return null;
}

function typeTitle(catalogue: Catalogue, type: string): string {
  return (catalogue.portTypes.get(type)?.title ?? type).toLowerCase();
}

/** A component that a wire can lead to, or come from, and by which of its ports. */
export interface Fitting {
  readonly component: Component;
  readonly port: Port;
}

/** Returns components with a port of the type on that side, each with the first that fits. */
export function fitting(
  catalogue: Catalogue,
  type: string,
  side: "inputs" | "outputs",
): readonly Fitting[] {
  return [...catalogue.components.values()].flatMap((component) => {
    const port = component[side].find((one) => one.type === type && !one.given_by);
    return port ? [{ component, port }] : [];
  });
}

/** A place to which a wire from an end can be drawn, as the list for the keyboard shows it. */
export interface Partner {
  readonly end: End;
  readonly node: string;
  readonly port: string;
  readonly isTaken: boolean;
}

/** Returns all ports that a wire from that end fits, free ones first. */
export function partners(
  pipeline: Pipeline,
  catalogue: Catalogue,
  end: End,
  side: "input" | "output",
): readonly Partner[] {
  const found = pipeline.nodes.flatMap((node) => {
    const component = catalogue.components.get(node.component);
    const ports = (side === "output" ? component?.inputs : component?.outputs) ?? [];
    return ports.flatMap((port): Partner[] => {
      const other = { node: node.id, port: port.name };
      const [from, to] = side === "output" ? [end, other] : [other, end];
      if (whyNot(pipeline, catalogue, from, to)) return [];
      const taken = edgesOf(pipeline).some((edge) => edge.to === textOf(to));
      return [{ end: other, node: titleOf(node, catalogue), port: port.title, isTaken: taken }];
    });
  });
  return found.toSorted((one, other) => Number(one.isTaken) - Number(other.isTaken));
}

/** Returns how a component would stand in an edge: its input and its output of the edge's type. */
export function between(
  component: Component,
  type: string,
): { readonly input: string; readonly output: string } | null {
  const input = component.inputs.find((one) => one.type === type);
  const output = component.outputs.find((one) => one.type === type && !one.given_by);
  return input && output ? { input: input.name, output: output.name } : null;
}
