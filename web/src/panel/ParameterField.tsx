/** One parameter: its field, range, unit, help and default, and what is wrong with its value. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { useSurroundings } from "../canvas/surroundings";
import { run, useDraft } from "../drafts/store";
import { type Parameter, titleOf } from "../graph/catalogue";
import type { Json } from "../graph/json";
import { setValue } from "../graph/nodeCommands";
import type { GraphNode } from "../graph/pipeline";
import { fault } from "../graph/validate";
import { words } from "../i18n";
import { shownValue } from "../i18n/value";
import { Icon } from "../icons/Icon";
import { Field } from "./Field";
import styles from "./Panel.module.css";

interface ParameterFieldProps {
  node: GraphNode;
  group: "params" | "settings";
  parameter: Parameter;
  isReadOnly: boolean;
  /** What else is wrong, such as a limit of the target. */
  limit?: string;
}

export function ParameterField({ node, group, parameter, isReadOnly, limit }: ParameterFieldProps) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const id = useId();
  const own = node[group]?.[parameter.name];
  const value = own ?? parameter.default ?? null;
  const wrong = fault(parameter, value);
  const error = wrong && (own !== undefined || !parameter.optional) ? words(wrong) : limit;
  const set = (next: Json | undefined) => {
    const isDefault = next === undefined;
    const label = {
      key: isDefault ? "command.reset" : "command.set",
      values: {
        parameter: parameter.title.toLowerCase(),
        name: titleOf(node, catalogue),
        value: shownValue(next),
      },
    };
    const place = { group, name: parameter.name };
    run(setValue(useDraft.getState().drawing.pipeline, node.id, place, next, label));
  };
  const isChanged = own !== undefined;
  const limits = [
    parameter.range_text,
    isChanged && t("panel.default", { value: shownValue(parameter.default) }),
  ]
    .filter(Boolean)
    .join(" · ");
  const isBool = parameter.kind === "bool";
  return (
    <div className={styles.field} data-inline={isBool}>
      <div className={styles.fieldHead}>
        <label htmlFor={id} className={styles.fieldName} data-own={isChanged}>
          {parameter.title}
        </label>
        {isChanged && !isReadOnly && (
          <ResetButton value={shownValue(parameter.default)} onReset={() => set(undefined)} />
        )}
      </div>
      <Field
        id={id}
        parameter={parameter}
        value={value}
        isReadOnly={isReadOnly}
        isWrong={Boolean(error)}
        onSet={set}
      />
      {error && (
        <p className={styles.error} id={`${id}-error`}>
          {error}
        </p>
      )}
      <div className={styles.help} id={`${id}-help`}>
        {parameter.help}
        {limits && <div>{limits}</div>}
      </div>
    </div>
  );
}

function ResetButton({ value, onReset }: { value: string; onReset: () => void }) {
  const { t } = useTranslation();
  const label = t("panel.reset", { value });
  return (
    <Tooltip label={label}>
      <ActionIcon size={24} my={-2} aria-label={label} onClick={onReset}>
        <Icon name="reset" size={14} />
      </ActionIcon>
    </Tooltip>
  );
}
