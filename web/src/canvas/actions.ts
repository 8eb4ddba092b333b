/** What a person can do to the open drawing, each as one command. */
import { run, select, useDraft } from "../drafts/store";
import { type Arrangement, arranged } from "../graph/arrange";
import { type Catalogue, type Component, titleOf } from "../graph/catalogue";
import type { Command, Label } from "../graph/change";
import { copied, type Fragment, fragmentText, paste } from "../graph/clipboard";
import { connect, disconnect, insertNew, insertOld, reconnect } from "../graph/edgeCommands";
import { between, whyNot } from "../graph/fit";
import { type Size, tidied } from "../graph/layout";
import { addNode, group, madeNode, moveNodes, removeNodes } from "../graph/nodeCommands";
import {
  type End,
  edgesOf,
  findNode,
  type Pipeline,
  type Position,
  positionOf,
} from "../graph/pipeline";
import { typeOfEnd } from "./flow";
import { say, type Wanted } from "./tools";

const now = () => useDraft.getState().drawing.pipeline;

/** Adds a node, joined to what it was asked for. */
export function add(component: Component, place: Position, wanted: Wanted): void {
  const pipeline = now();
  const node = {
    component: component.name,
    version: component.version,
    position: place,
    name: component.title,
  };
  const { id } = madeNode(pipeline, node);
  const label = { key: "command.add", values: { name: component.title } };
  if (wanted.kind === "edge") {
    const ports = between(component, wanted.type);
    if (ports) run(insertNew(pipeline, wanted.edge, node, ports, label));
  } else if (wanted.kind === "wire") {
    const side = wanted.side === "output" ? "inputs" : "outputs";
    const port = component[side].find((one) => one.type === wanted.type && !one.given_by);
    const here = { node: id, port: port?.name ?? "" };
    const ends: [End, End] = wanted.side === "output" ? [wanted.end, here] : [here, wanted.end];
    const makers: ((start: Pipeline) => Command | null)[] = [(start) => addNode(start, node)];
    if (port) makers.push((start) => connect(start, ...ends, label));
    run(group(pipeline, label, makers));
  } else {
    run(addNode(pipeline, node));
  }
  select([id]);
}

/** Draws an edge, or says why not. */
export function join(catalogue: Catalogue, from: End, to: End): boolean {
  const reason = whyNot(now(), catalogue, from, to);
  if (reason) say(reason);
  else run(connect(now(), from, to, edgeLabel("command.connect", catalogue, from, to)));
  return reason === null;
}

export function rejoin(catalogue: Catalogue, old: string, from: End, to: End): void {
  const pipeline = now();
  const without = {
    ...pipeline,
    edges: edgesOf(pipeline).filter((one) => `${one.from}>${one.to}` !== old),
  };
  const reason = whyNot(without, catalogue, from, to);
  if (reason) say(reason);
  else run(reconnect(pipeline, old, from, to, edgeLabel("command.reconnect", catalogue, from, to)));
}

export function cut(edges: ReadonlySet<string>): void {
  run(disconnect(now(), edges, { key: "command.disconnect", values: { count: edges.size } }));
}

/** Removes what is selected; bridged, what was before a node is joined to what was after it. */
export function remove(catalogue: Catalogue, isBridged: boolean): void {
  const ids = [...useDraft.getState().selection];
  const pipeline = now();
  const label = nodesLabel(isBridged ? "command.removeBridged" : "command.remove", catalogue, ids);
  const types = (end: string) => typeOfEnd(pipeline, catalogue, end);
  run(removeNodes(pipeline, ids, label, isBridged ? types : undefined));
}

export function move(
  catalogue: Catalogue,
  places: ReadonlyMap<string, Position>,
  merge?: string,
): void {
  run(moveNodes(now(), places, nodesLabel("command.move", catalogue, [...places.keys()]), merge));
}

/** Moves what is selected by some pixels. Arrow keys that follow each other are one command. */
export function nudge(catalogue: Catalogue, by: Position): void {
  const ids = [...useDraft.getState().selection];
  const places = new Map<string, Position>();
  for (const id of ids) {
    const node = findNode(now(), id);
    if (!node) continue;
    const [x, y] = positionOf(node);
    places.set(id, [x + by[0], y + by[1]]);
  }
  if (places.size > 0) move(catalogue, places, `arrows ${ids.join(" ")}`);
}

export function tidy(sizes: ReadonlyMap<string, Size>): void {
  const { selection } = useDraft.getState();
  const key = selection.size > 1 ? "command.tidySelection" : "command.tidy";
  run(moveNodes(now(), tidied(now(), sizes, selection), { key }));
}

/** Puts what is selected in line, or at equal distances. */
export function arrange(how: Arrangement, sizes: ReadonlyMap<string, Size>): void {
  const ids = [...useDraft.getState().selection];
  const label = { key: `command.arrange.${how}`, values: { count: ids.length } };
  if (ids.length > 1) run(moveNodes(now(), arranged(now(), ids, sizes, how), label));
}

/** Puts a node that was dropped on a wire into it, where it fits and is not joined there already. */
export function dropOnEdge(catalogue: Catalogue, id: string, edge: string): void {
  const pipeline = now();
  const node = findNode(pipeline, id);
  const component = node && catalogue.components.get(node.component);
  const type = typeOfEnd(pipeline, catalogue, edge.split(">")[0] ?? "");
  const ports = component && type ? between(component, type) : null;
  if (!node || !ports) return;
  const isJoined = edgesOf(pipeline).some(
    (one) => one.to === `${id}.${ports.input}` || one.from === `${id}.${ports.output}`,
  );
  if (isJoined) return;
  const label = { key: "command.insert", values: { name: titleOf(node, catalogue) } };
  run(insertOld(pipeline, edge, id, ports, label));
}

export function selectedText(): string | null {
  const { selection } = useDraft.getState();
  return selection.size > 0 ? fragmentText(copied(now(), selection)) : null;
}

export function pasteAt(fragment: Fragment, place: Position, keepsLinks: boolean): void {
  const label = { key: "command.paste", values: { count: fragment.nodes.length } };
  const { command, ids } = paste(now(), fragment, place, label, keepsLinks);
  run(command);
  select(ids);
}

export function nodesLabel(key: string, catalogue: Catalogue, ids: readonly string[]): Label {
  const [first = ""] = ids;
  const node = findNode(now(), first);
  const name = node ? titleOf(node, catalogue) : first;
  return ids.length === 1
    ? { key, values: { name } }
    : { key: `${key}Many`, values: { count: ids.length } };
}

function edgeLabel(key: string, catalogue: Catalogue, from: End, to: End): Label {
  const names = [from, to].map(({ node }) => {
    const found = findNode(now(), node);
    return found ? titleOf(found, catalogue) : node;
  });
  return { key, values: { from: names[0] ?? "", to: names[1] ?? "" } };
}
