/** The field of a parameter by its kind. What is typed counts when the field is left, or with Enter. */
import { ActionIcon, Select, Switch, TextInput, Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { PathPicker } from "../drafts/PathPicker";
import { undoLast } from "../drafts/store";
import type { Parameter } from "../graph/catalogue";
import type { Json } from "../graph/json";
import { textOfValue, valueOfText } from "../graph/validate";
import { decimalMark } from "../i18n/numbers";
import { Icon } from "../icons/Icon";

interface FieldProps {
  id: string;
  parameter: Parameter;
  value: Json;
  isReadOnly: boolean;
  isWrong: boolean;
  onSet: (value: Json | undefined) => void;
}

export function Field(props: FieldProps) {
  const { id, parameter, value, isReadOnly, onSet } = props;
  if (parameter.kind === "bool") {
    return (
      <Switch
        id={id}
        size="xs"
        checked={value === true}
        disabled={isReadOnly}
        aria-describedby={`${id}-help`}
        onChange={(event) => onSet(event.currentTarget.checked)}
      />
    );
  }
  if (parameter.kind === "choice") {
    return (
      <Select
        id={id}
        data={parameter.choices.map(String)}
        value={value === null ? null : String(value)}
        disabled={isReadOnly}
        clearable={parameter.optional}
        searchable={parameter.choices.length > 8}
        allowDeselect={false}
        error={props.isWrong}
        aria-describedby={`${id}-help`}
        onChange={(text) => onSet(parameter.choices.find((one) => String(one) === text))}
      />
    );
  }
  return <TextField {...props} />;
}

/** Components do not say yet which texts are paths; those called `path` are. */
function isPath(parameter: Parameter): boolean {
  return parameter.kind === "str" && parameter.name === "path";
}

function TextField({ id, parameter, value, isReadOnly, isWrong, onSet }: FieldProps) {
  const { t } = useTranslation();
  const known = textOfValue(value, decimalMark());
  const [text, setText] = useState(known);
  useEffect(() => setText(known), [known]);
  const leave = () => {
    if (text !== known) onSet(valueOfText(parameter, text, decimalMark()));
  };
  const isNumber = parameter.kind === "int" || parameter.kind === "float";
  const unit = parameter.unit && <span className="quiet">{parameter.unit}</span>;
  return (
    <TextInput
      id={id}
      value={text}
      readOnly={isReadOnly}
      error={isWrong}
      aria-describedby={`${id}-error ${id}-help`}
      inputMode={isNumber ? "decimal" : "text"}
      placeholder={parameter.optional ? t("panel.none") : ""}
      spellCheck={false}
      onChange={(event) => setText(event.target.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") leave();
        if (event.key === "Escape") setText(known);
        if (isUndo(event) && text === known) {
          event.preventDefault(); // nothing is being typed: the last command is meant
          undoLast();
        }
      }}
      rightSectionWidth={unit ? 84 : 30}
      rightSection={isPath(parameter) ? <Browse path={text} onTake={onSet} /> : unit}
    />
  );
}

function isUndo(event: React.KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
}

function Browse({ path, onTake }: { path: string; onTake: (path: string) => void }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const label = t("panel.browse");
  return (
    <>
      <Tooltip label={label}>
        <ActionIcon size={24} aria-label={label} onClick={() => setOpen(true)}>
          <Icon name="folder" />
        </ActionIcon>
      </Tooltip>
      {isOpen && (
        <PathPicker
          start={path}
          onClose={() => setOpen(false)}
          onTake={(taken) => {
            setOpen(false);
            onTake(taken);
          }}
        />
      )}
    </>
  );
}
