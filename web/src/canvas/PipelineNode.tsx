/** A node on the canvas: its name, what it is, its light and its ports. */
import type { Node, NodeProps } from "@xyflow/react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { type Component, isGiven, type Port, titleOf } from "../graph/catalogue";
import { atNode } from "../graph/outlook";
import type { GraphNode } from "../graph/pipeline";
import type { UsedPorts } from "../graph/usedPorts";
import { Icon } from "../icons/Icon";
import { LIGHTS, UNKNOWN, useLights } from "./lights";
import { lightText } from "./lightText";
import styles from "./PipelineNode.module.css";
import { Ports } from "./Ports";
import { Rename } from "./Rename";
import { useSurroundings } from "./surroundings";
import { useTools } from "./tools";

export type FlowNode = Node<{ node: GraphNode; used: UsedPorts }, "component">;

export const PipelineNode = memo(function PipelineNode({
  id,
  data,
  selected,
}: NodeProps<FlowNode>) {
  const { catalogue } = useSurroundings();
  const isRenamed = useTools((tools) => tools.renaming === id);
  const { node } = data;
  const component = catalogue.components.get(node.component);
  const { inputs, outputs } = portsOf(node, component, data.used);
  const title = titleOf(node, catalogue);
  const kind = component?.title ?? node.component;
  return (
    <div className={styles.node} data-selected={selected} data-missing={component === undefined}>
      <Ports side="input" ports={inputs} />
      <div className={styles.body}>
        <div className={styles.heading}>
          {isRenamed ? (
            <Rename id={id} title={title} />
          ) : (
            <span className={styles.title} title={title}>
              {title}
            </span>
          )}
          {node.comment && (
            <span className={styles.comment} title={node.comment}>
              <Icon name="comment" size={14} />
            </span>
          )}
        </div>
        {kind !== title && <div className={styles.kind}>{kind}</div>}
        <NodeLight id={id} component={component} />
      </div>
      <Ports side="output" ports={outputs} />
    </div>
  );
});

function NodeLight({ id, component }: { id: string; component: Component | undefined }) {
  const { t } = useTranslation();
  const light = useLights(({ lights }) => lights[id]) ?? UNKNOWN;
  const { icon, tone } = LIGHTS[light.kind];
  const about = [atNode(light.why), light.hint].filter(Boolean).join("\n");
  return (
    <div className={styles.light} style={{ color: tone }} title={about} data-light={light.kind}>
      <Icon name={icon} size={14} />
      <span className={styles.lightText}>{lightText(t, light, component)}</span>
    </div>
  );
}

/** Outputs that a parameter gives are there with it, or while an edge still begins at them. */
function portsOf(node: GraphNode, component: Component | undefined, used: UsedPorts) {
  if (!component) {
    return { inputs: used.inputs.map(placeholder), outputs: used.outputs.map(placeholder) };
  }
  const outputs = component.outputs.filter(
    (port) => isGiven(port, node, component) || used.outputs.includes(port.name),
  );
  return { inputs: component.inputs, outputs };
}

function placeholder(name: string): Port {
  return { name, type: "", title: name, help: "", optional: false, given_by: "" };
}
