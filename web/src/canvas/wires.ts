/** What happens when a wire is drawn, moved or let go: joined, refused with a sentence, or asked for a node. */
import {
  type Connection,
  type Edge,
  type FinalConnectionState,
  type OnConnectStartParams,
  useReactFlow,
} from "@xyflow/react";
import { useRef } from "react";
import { useDraft } from "../drafts/store";
import { whyNot } from "../graph/fit";
import { type End, edgesOf, findNode, type Pipeline } from "../graph/pipeline";
import * as actions from "./actions";
import { typeOfEnd } from "./flow";
import { nodeUnder, spotOf } from "./pointer";
import { useSurroundings } from "./surroundings";
import { say, setTools } from "./tools";

export function useWires() {
  const { catalogue } = useSurroundings();
  const { screenToFlowPosition } = useReactFlow();
  const tapped = useRef<{ end: End; isOutput: boolean } | null>(null);
  const moved = useRef<{ id: string; isJoined: boolean } | null>(null);

  const connect = (wire: Connection) => {
    tapped.current = null;
    const [from, to] = endsOf(wire);
    actions.join(catalogue, from, to);
  };
  /** One port was tapped, and then another that it does not fit: the sentence says why. */
  const tapEnd = (event: MouseEvent | TouchEvent) => {
    const start = tapped.current;
    tapped.current = null;
    const port = (event.target as Element).closest(".react-flow__handle");
    if (!start || !port) return;
    const node = port.getAttribute("data-nodeid") ?? "";
    const end = { node, port: port.getAttribute("data-handleid") ?? "" };
    if (end.node === start.end.node && end.port === start.end.port) return;
    if (port.classList.contains(start.isOutput ? "source" : "target")) say({ key: "fit.sides" });
    else actions.join(catalogue, ...ordered(start.isOutput, start.end, end));
  };
  const connectEnd = (event: MouseEvent | TouchEvent, wire: FinalConnectionState) => {
    if (moved.current || wire.isValid || !wire.fromHandle) return;
    const start = { node: wire.fromHandle.nodeId, port: wire.fromHandle.id ?? "" };
    const isOutput = wire.fromHandle.type === "source";
    if (wire.toHandle) {
      const other = { node: wire.toHandle.nodeId, port: wire.toHandle.id ?? "" };
      if (wire.toHandle.type === wire.fromHandle.type) {
        if (other.node !== start.node || other.port !== start.port) say({ key: "fit.sides" });
        return;
      }
      actions.join(catalogue, ...ordered(isOutput, start, other));
      return;
    }
    const spot = spotOf(event);
    if (!spot) return;
    const under = nodeUnder(spot);
    if (under) joinNode(start, isOutput, under);
    else askFor(start, isOutput, [spot.clientX, spot.clientY]);
  };
  /** A wire dropped on a node takes the first port that fits, a free one before others. */
  const joinNode = (start: End, isOutput: boolean, id: string) => {
    const { pipeline } = useDraft.getState().drawing;
    const node = findNode(pipeline, id);
    const component = node && catalogue.components.get(node.component);
    if (!component || id === start.node) return;
    const ports = component[isOutput ? "inputs" : "outputs"].map((one) => ({
      node: id,
      port: one.name,
    }));
    const fits = ports.filter(
      (port) => !whyNot(pipeline, catalogue, ...ordered(isOutput, start, port)),
    );
    const isFree = (end: End) =>
      !edgesOf(pipeline).some((edge) => edge.to === `${end.node}.${end.port}`);
    const port = fits.find(isFree) ?? fits[0] ?? ports[0];
    if (port) actions.join(catalogue, ...ordered(isOutput, start, port));
    else
      say({ key: isOutput ? "fit.takesNone" : "fit.givesNone", values: { node: component.title } });
  };
  const askFor = (end: End, isOutput: boolean, at: [number, number]) => {
    const { pipeline } = useDraft.getState().drawing;
    const text = `${end.node}.${end.port}`;
    const type = typeOfEnd(pipeline, catalogue, text, isOutput ? "outputs" : "inputs");
    if (!type) return;
    const { x, y } = screenToFlowPosition({ x: at[0], y: at[1] });
    const place = [x - 112, isOutput ? y : y - 80] as const;
    const side = isOutput ? "output" : "input";
    setTools({ adding: { wanted: { kind: "wire", end, side, type }, at, place } });
  };
  return {
    /** The drawing without the edge that is being moved: its own ends are free for it. */
    drawnWithout: (pipeline: Pipeline): Pipeline => {
      const id = moved.current?.id;
      if (!id) return pipeline;
      const edges = edgesOf(pipeline).filter((edge) => `${edge.from}>${edge.to}` !== id);
      return { ...pipeline, edges };
    },
    handlers: {
      onConnect: connect,
      onConnectEnd: connectEnd,
      onClickConnectStart: (_: unknown, port: OnConnectStartParams) => {
        const end = { node: port.nodeId ?? "", port: port.handleId ?? "" };
        tapped.current = { end, isOutput: port.handleType === "source" };
        say({ key: "connect.tap" });
      },
      onClickConnectEnd: tapEnd,
      onReconnectStart: (_: unknown, edge: Edge) => {
        moved.current = { id: edge.id, isJoined: false };
      },
      onReconnect: (edge: Edge, wire: Connection) => {
        if (moved.current) moved.current.isJoined = true;
        actions.rejoin(catalogue, edge.id, ...endsOf(wire));
      },
      onReconnectEnd: (_: unknown, edge: Edge, __: unknown, wire: FinalConnectionState) => {
        const isJoined = moved.current?.isJoined;
        moved.current = null;
        if (isJoined) return;
        if (!wire.toHandle || !wire.fromHandle) actions.cut(new Set([edge.id]));
        else refuse(wire, edge);
      },
    },
  };

  function refuse(wire: FinalConnectionState, edge: Edge): void {
    if (!wire.toHandle || !wire.fromHandle || wire.toHandle.type === wire.fromHandle.type) return;
    const [fixed, other] = [wire.fromHandle, wire.toHandle].map((handle) => ({
      node: handle.nodeId,
      port: handle.id ?? "",
    })) as [End, End];
    actions.rejoin(catalogue, edge.id, ...ordered(wire.fromHandle.type === "source", fixed, other));
  }
}

function endsOf(wire: Connection): [End, End] {
  return [
    { node: wire.source, port: wire.sourceHandle ?? "" },
    { node: wire.target, port: wire.targetHandle ?? "" },
  ];
}

function ordered(isOutput: boolean, start: End, other: End): [End, End] {
  return isOutput ? [start, other] : [other, start];
}
