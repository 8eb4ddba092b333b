/** Where a node runs and on how many processes, with the limits of the chosen target beside. */
import { Select } from "@mantine/core";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { useTargets } from "../api/queries";
import type { TargetInfo } from "../api/types";
import { useSurroundings } from "../canvas/surroundings";
import { run, useDraft } from "../drafts/store";
import { type Component, titleOf } from "../graph/catalogue";
import { setValue } from "../graph/nodeCommands";
import type { GraphNode } from "../graph/pipeline";
import styles from "./Panel.module.css";
import { ParameterField } from "./ParameterField";

interface RunSettingsProps {
  node: GraphNode;
  component: Component;
  isReadOnly: boolean;
}

export function RunSettings({ node, component, isReadOnly }: RunSettingsProps) {
  const { t } = useTranslation();
  const { data: targets = [] } = useTargets();
  const chosen = String(node.settings?.target ?? "local");
  const target = targets.find((one) => one.name === chosen);
  const limitOf = (name: string): string => {
    const value = Number(node.settings?.[name] ?? 1);
    const key = { node_count: "nodes", processes_per_node: "processes" }[name];
    if (!target || !key) return "";
    const most = key === "nodes" ? target.nodes : target.processing_units_per_node;
    if (value <= most) return "";
    const text = key === "nodes" ? "panel.tooManyNodes" : "panel.tooManyProcesses";
    return t(text, { value, target: target.title, most });
  };
  return (
    <section className={styles.section}>
      {component.run_settings.map((setting) =>
        setting.name === "target" ? (
          <TargetField
            key="target"
            node={node}
            title={setting.title}
            chosen={chosen}
            targets={targets}
            isReadOnly={isReadOnly}
          />
        ) : (
          <ParameterField
            key={setting.name}
            node={node}
            group="settings"
            parameter={setting}
            isReadOnly={isReadOnly}
            limit={limitOf(setting.name)}
          />
        ),
      )}
    </section>
  );
}

interface TargetFieldProps {
  node: GraphNode;
  title: string;
  chosen: string;
  targets: readonly TargetInfo[];
  isReadOnly: boolean;
}

function TargetField({ node, title, chosen, targets, isReadOnly }: TargetFieldProps) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const id = useId();
  const target = targets.find((one) => one.name === chosen);
  const names = new Set([...targets.map((one) => one.name), chosen]);
  const choose = (name: string | null) => {
    if (!name) return;
    const values = { parameter: title.toLowerCase(), name: titleOf(node, catalogue), value: name };
    const place = { group: "settings", name: "target" } as const;
    const { pipeline } = useDraft.getState().drawing;
    run(setValue(pipeline, node.id, place, name, { key: "command.set", values }));
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.fieldName}>
        {title}
      </label>
      <Select
        id={id}
        data={[...names]}
        value={chosen}
        allowDeselect={false}
        disabled={isReadOnly}
        onChange={choose}
      />
      {target && (
        <p className={styles.help}>
          {target.title}: {t("panel.limits.nodes", { count: target.nodes })},{" "}
          {t("panel.limits.processes", { count: target.processing_units_per_node })}. {target.help}
        </p>
      )}
    </div>
  );
}
