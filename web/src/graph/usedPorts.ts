/** At which ports of a node edges are drawn. */
import { edgesOf, endOf, type Pipeline } from "./pipeline";

export interface UsedPorts {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export const NO_PORTS: UsedPorts = { inputs: [], outputs: [] };

export function usedPorts(pipeline: Pipeline): Map<string, UsedPorts> {
  const found = new Map<string, UsedPorts>();
  const note = (text: string, side: "inputs" | "outputs") => {
    const { node, port } = endOf(text);
    const ports = found.get(node) ?? NO_PORTS;
    if (!ports[side].includes(port)) found.set(node, { ...ports, [side]: [...ports[side], port] });
  };
  for (const edge of edgesOf(pipeline)) {
    note(edge.from, "outputs");
    note(edge.to, "inputs");
  }
  return found;
}
