/** The ports on one side of a node. While a wire is drawn, those that it does not fit stand back. */
import { Handle, Position, useConnection, useNodeId } from "@xyflow/react";
import { useDraft } from "../drafts/store";
import type { Port } from "../graph/catalogue";
import { whyNot } from "../graph/fit";
import type { End } from "../graph/pipeline";
import styles from "./PipelineNode.module.css";
import { PortMark } from "./PortMark";
import { useSurroundings } from "./surroundings";

interface PortsProps {
  side: "input" | "output";
  ports: readonly Port[];
}

export function Ports({ side, ports }: PortsProps) {
  if (ports.length === 0) return null;
  const isNamed = ports.length > 1;
  return (
    <div className={styles.ports} data-side={side} data-many={ports.length > 2 || undefined}>
      {ports.map((port) => (
        <PortOf key={port.name} side={side} port={port} isNamed={isNamed} />
      ))}
    </div>
  );
}

interface PortOfProps {
  side: "input" | "output";
  port: Port;
  isNamed: boolean;
}

function PortOf({ side, port, isNamed }: PortOfProps) {
  const { catalogue } = useSurroundings();
  const fits = useFits(side, port.name);
  const type = catalogue.portTypes.get(port.type);
  const about = [`${port.title}: ${type?.title ?? port.type}`, port.help]
    .filter(Boolean)
    .join("\n");
  return (
    <div className={styles.port}>
      <Handle
        id={port.name}
        type={side === "input" ? "target" : "source"}
        position={side === "input" ? Position.Top : Position.Bottom}
        className={styles.handle ?? ""}
        data-fits={fits}
        title={about}
        role="img"
        aria-label={about}
      >
        <PortMark type={port.type} isOptional={port.optional} />
      </Handle>
      {isNamed && <span className={styles.portName}>{port.title}</span>}
    </div>
  );
}

/** Whether the wire that is being drawn fits; "none" while there is no wire. */
function useFits(side: "input" | "output", port: string): "none" | "yes" | "no" {
  const node = useNodeId() ?? "";
  const { catalogue } = useSurroundings();
  return useConnection((wire) => {
    if (!wire.inProgress || !wire.fromHandle) return "none";
    const from = { node: wire.fromHandle.nodeId, port: wire.fromHandle.id ?? "" };
    const here = { node, port };
    const isOutput = wire.fromHandle.type === "source";
    const isSameSide = isOutput === (side === "output");
    if (isSameSide && from.node === node && from.port === port) return "none";
    if (isSameSide) return "no";
    const ends: [End, End] = isOutput ? [from, here] : [here, from];
    const { pipeline } = useDraft.getState().drawing;
    return whyNot(pipeline, catalogue, ...ends) === null ? "yes" : "no";
  });
}
