/** The tools above the canvas: name, state of saving, undo and redo, adding, tidying, running. */
import { ActionIcon, Menu, TextInput, Tooltip } from "@mantine/core";
import { useReactFlow } from "@xyflow/react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import * as actions from "../canvas/actions";
import { useSizes } from "../canvas/sizes";
import { setTools } from "../canvas/tools";
import { setHead } from "../graph/nodeCommands";
import type { Pipeline } from "../graph/pipeline";
import { fileNameOf } from "../graph/pipelineFile";
import { words } from "../i18n";
import { Icon, type IconName } from "../icons/Icon";
import { saveFile } from "../shell/saveFile";
import styles from "./EditorBar.module.css";
import { RunButton } from "./RunButton";
import { SaveState } from "./SaveState";
import { redoNext, run, undoLast, useDraft } from "./store";
import { Versions } from "./Versions";

export function EditorBar() {
  const { t } = useTranslation();
  const { screenToFlowPosition } = useReactFlow();
  const sizes = useSizes();
  const [isVersionsOpen, setVersionsOpen] = useState(false);
  const more = useRef<HTMLButtonElement>(null);
  const closeVersions = () => {
    setVersionsOpen(false);
    more.current?.focus(); // the item of the menu that opened them is gone
  };
  const last = useDraft(({ drawing }) => drawing.history.past.at(-1)?.label);
  const next = useDraft(({ drawing }) => drawing.history.future[0]?.label);
  const add = (event: React.MouseEvent) => {
    const box = document.querySelector(".react-flow")?.getBoundingClientRect();
    if (!box) return;
    const { x, y } = screenToFlowPosition({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
    const { left, bottom } = event.currentTarget.getBoundingClientRect();
    setTools({ adding: { wanted: { kind: "any" }, at: [left, bottom + 4], place: [x - 112, y] } });
  };
  return (
    <div className={styles.bar} role="toolbar" aria-label={t("bar.label")}>
      <PipelineName />
      <SaveState />
      <div className={styles.tools}>
        <Tool
          icon="back"
          label={last ? t("bar.undo", { what: words(last) }) : t("bar.nothingToUndo")}
          isOff={!last}
          onPress={undoLast}
        />
        <Tool
          icon="forward"
          label={next ? t("bar.redo", { what: words(next) }) : t("bar.nothingToRedo")}
          isOff={!next}
          onPress={redoNext}
        />
        <span className={styles.gap} />
        <Tool icon="add" label={t("bar.add")} onPress={add} />
        <Tool icon="arrange" label={t("bar.tidy")} onPress={() => actions.tidy(sizes())} />
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={t("bar.more")} ref={more}>
              <Icon name="menu" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Item icon="history" onPress={() => setVersionsOpen(true)}>
              {t("bar.versions")}
            </Item>
            <Item icon="download" onPress={() => download(useDraft.getState().drawing.pipeline)}>
              {t("bar.download")}
            </Item>
            <Item icon="keys" onPress={() => setTools({ isKeysOpen: true })}>
              {t("bar.keys")}
            </Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      <RunButton />
      {isVersionsOpen && <Versions onClose={closeVersions} />}
    </div>
  );
}

interface ToolProps {
  icon: IconName;
  label: string;
  isOff?: boolean;
  onPress: (event: React.MouseEvent) => void;
}

function Tool({ icon, label, isOff = false, onPress }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} aria-disabled={isOff} onClick={onPress}>
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  );
}

function Item({
  icon,
  onPress,
  children,
}: {
  icon: IconName;
  onPress: () => void;
  children: ReactNode;
}) {
  return (
    <Menu.Item leftSection={<Icon name={icon} />} onClick={onPress}>
      {children}
    </Menu.Item>
  );
}

function PipelineName() {
  const { t } = useTranslation();
  const name = useDraft(({ drawing }) => drawing.pipeline.name);
  const [text, setText] = useState(name);
  useEffect(() => setText(name), [name]);
  const leave = () => {
    const after = text.trim();
    if (after === "" || after === name) return setText(name);
    const label = { key: "command.renamePipeline", values: { after } };
    run(setHead(useDraft.getState().drawing.pipeline, "name", after, label));
  };
  return (
    <TextInput
      className={styles.name}
      classNames={{ input: styles.nameField ?? "" }}
      variant="unstyled"
      aria-label={t("bar.name")}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={leave}
      onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
    />
  );
}

function download(pipeline: Pipeline): void {
  const text = `${JSON.stringify(pipeline, null, 2)}\n`;
  saveFile(new Blob([text], { type: "application/json" }), fileNameOf(pipeline.name));
}
