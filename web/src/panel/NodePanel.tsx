/** Everything of one node: its title, light, parameters, run settings, ports and note. */
import { Tabs, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { LIGHTS, type Light, UNKNOWN, useLights } from "../canvas/lights";
import { lightText } from "../canvas/lightText";
import { PortMark } from "../canvas/PortMark";
import { renameNode } from "../canvas/Rename";
import { useSurroundings } from "../canvas/surroundings";
import { run, useDraft } from "../drafts/store";
import { type Component, type Port, titleOf } from "../graph/catalogue";
import { setText } from "../graph/nodeCommands";
import { atNode } from "../graph/outlook";
import type { GraphNode } from "../graph/pipeline";
import { problemTitle } from "../i18n/problem";
import { Icon } from "../icons/Icon";
import { useSession } from "../people/useSession";
import { SourceDescription } from "../sources/SourceDescription";
import styles from "./Panel.module.css";
import { ParameterForm } from "./ParameterForm";
import { RunSettings } from "./RunSettings";

const SETTLED_MS = 600;

export function NodePanel({ node }: { node: GraphNode }) {
  const { t } = useTranslation();
  const { catalogue, isReadOnly } = useSurroundings();
  const component = catalogue.components.get(node.component);
  const hasSettings = Boolean(component?.run_settings.length);
  return (
    <>
      <NodeHead node={node} component={component} isReadOnly={isReadOnly} />
      {component ? (
        <Tabs defaultValue="parameters" keepMounted={false} key={node.id}>
          <Tabs.List>
            <Tabs.Tab value="parameters">{t("panel.parameters")}</Tabs.Tab>
            {hasSettings && <Tabs.Tab value="settings">{t("panel.settings")}</Tabs.Tab>}
            <Tabs.Tab value="about">{t("panel.about")}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="parameters" pt="md">
            <ParameterForm node={node} component={component} isReadOnly={isReadOnly} />
            <PicturesOf node={node} />
          </Tabs.Panel>
          {hasSettings && (
            <Tabs.Panel value="settings" pt="md">
              <RunSettings node={node} component={component} isReadOnly={isReadOnly} />
            </Tabs.Panel>
          )}
          <Tabs.Panel value="about" pt="md">
            <About component={component} />
          </Tabs.Panel>
        </Tabs>
      ) : (
        <p>{t("panel.missing", { name: node.component })}</p>
      )}
      <Comment node={node} isReadOnly={isReadOnly} />
    </>
  );
}

interface NodeHeadProps {
  node: GraphNode;
  component: Component | undefined;
  isReadOnly: boolean;
}

function NodeHead({ node, component, isReadOnly }: NodeHeadProps) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const light = useLights(({ lights }) => lights[node.id]) ?? UNKNOWN;
  const { icon, tone } = LIGHTS[light.kind];
  const title = titleOf(node, catalogue);
  const [text, setTyped] = useState(title);
  useEffect(() => setTyped(title), [title]);
  const leave = () => {
    if (text !== title) renameNode(node.id, text, title);
  };
  return (
    <div className={styles.head}>
      <TextInput
        value={text}
        readOnly={isReadOnly}
        aria-label={t("panel.title")}
        classNames={{ input: styles.nodeTitle ?? "" }}
        variant="unstyled"
        onChange={(event) => setTyped(event.target.value)}
        onBlur={leave}
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
      />
      <div className={styles.light} style={{ color: tone }}>
        <Icon name={icon} />
        <span>{lightText(t, light, component)}</span>
      </div>
      <EngineText of={light} isSaid={!problemTitle(light.problem)} />
    </div>
  );
}

/** What the engine says of the node, in English; its first sentence stands above already where it is shown there. */
function EngineText({ of, isSaid }: { of: Light; isSaid: boolean }) {
  if (of.kind !== "incomplete") return null;
  const text = isSaid ? of.hint : `${atNode(of.why)} ${of.hint}`;
  return (
    text && (
      <p className={styles.help} lang="en">
        {text}
      </p>
    )
  );
}

/** What lies where a dataset points to. */
function PicturesOf({ node }: { node: GraphNode }) {
  const path = node.component === "dataset" ? node.params?.path : undefined;
  const [settled] = useDebouncedValue(typeof path === "string" ? path : "", SETTLED_MS);
  const { canEdit } = useSession(); // others may not look around on the machine
  return settled && canEdit ? <SourceDescription path={settled} /> : null;
}

function About({ component }: { component: Component }) {
  const { t } = useTranslation();
  return (
    <section className={styles.section}>
      <p>{component.help}</p>
      <PortList title={t("panel.inputs")} ports={component.inputs} />
      <PortList title={t("panel.outputs")} ports={component.outputs} />
      <p className="quiet">{`${component.name} ${component.version}`}</p>
    </section>
  );
}

function PortList({ title, ports }: { title: string; ports: readonly Port[] }) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  if (ports.length === 0) return null;
  return (
    <>
      <h3 className={styles.sectionTitle}>{title}</h3>
      <ul className={styles.ports}>
        {ports.map((port) => (
          <li key={port.name}>
            <PortMark type={port.type} isOptional={port.optional} />
            <div>
              {port.title}
              {port.optional && <span className="quiet"> ({t("panel.optional")})</span>}
              <div className={styles.help}>
                {catalogue.portTypes.get(port.type)?.title ?? port.type}. {port.help}
              </div>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

function Comment({ node, isReadOnly }: { node: GraphNode; isReadOnly: boolean }) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const known = node.comment ?? "";
  const [text, setTyped] = useState(known);
  useEffect(() => setTyped(known), [known]);
  const leave = () => {
    if (text === known) return;
    const label = { key: "command.comment", values: { name: titleOf(node, catalogue) } };
    run(setText(useDraft.getState().drawing.pipeline, node.id, "comment", text, label));
  };
  return (
    <Textarea
      key={node.id}
      className={styles.comment}
      label={t("panel.comment")}
      placeholder={isReadOnly ? "" : t("panel.commentPlaceholder")}
      autosize
      minRows={2}
      maxRows={8}
      value={text}
      readOnly={isReadOnly}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={leave}
    />
  );
}
