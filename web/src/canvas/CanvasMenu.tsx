/** What can be done with a node, a wire or the place that was pressed long, with the other button, or by the menu key. */
import { Menu } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { select, useDraft } from "../drafts/store";
import { copied } from "../graph/clipboard";
import { type Position, positionOf } from "../graph/pipeline";
import { Icon, type IconName } from "../icons/Icon";
import * as actions from "./actions";
import styles from "./CanvasMenu.module.css";
import { typeOfEnd } from "./flow";
import { focusNode } from "./keys";
import { useSizes } from "./sizes";
import { useSurroundings } from "./surroundings";
import { type Pressed, setTools, useTools } from "./tools";

const BESIDE: Position = [24, 24];

export function CanvasMenu() {
  const pressed = useTools((tools) => tools.pressed);
  return pressed ? <Items pressed={pressed} /> : null;
}

function Items({ pressed }: { pressed: Pressed }) {
  const { t } = useTranslation();
  const { kind, id, at } = pressed;
  const leave = () => {
    setTools({ pressed: null });
    if (kind === "node") focusNode(id);
  };
  const label = t("menu.label");
  return (
    <>
      <div className={styles.around} onPointerDown={leave} />
      <Menu opened onClose={leave} position="bottom-start" closeOnClickOutside={false}>
        <Menu.Target>
          <button
            type="button"
            className={styles.spot}
            tabIndex={-1}
            aria-label={label}
            style={{ left: at[0], top: at[1] }}
          />
        </Menu.Target>
        <Menu.Dropdown>
          {kind === "node" && <NodeItems id={id} />}
          {kind === "edge" && <EdgeItems id={id} pressed={pressed} />}
          {kind === "pane" && <PaneItems pressed={pressed} />}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

function NodeItems({ id }: { id: string }) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const only = () => select([id]);
  const duplicate = () => {
    const { pipeline } = useDraft.getState().drawing;
    const node = pipeline.nodes.find((one) => one.id === id);
    const [x, y] = node ? positionOf(node) : BESIDE;
    actions.pasteAt(copied(pipeline, new Set([id])), [x + BESIDE[0], y + BESIDE[1]], true);
  };
  return (
    <>
      <Item icon="rename" text={t("menu.rename")} onPress={() => setTools({ renaming: id })} />
      <Item icon="link" text={t("menu.connect")} onPress={() => setTools({ connecting: id })} />
      <Item icon="copy" text={t("menu.copy")} onPress={duplicate} />
      <Item
        icon="delete"
        text={t("menu.remove")}
        onPress={() => {
          only();
          actions.remove(catalogue, false);
        }}
      />
      <Item
        icon="arrange"
        text={t("menu.bridge")}
        onPress={() => {
          only();
          actions.remove(catalogue, true);
        }}
      />
    </>
  );
}

function EdgeItems({ id, pressed }: { id: string; pressed: Pressed }) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const { pipeline } = useDraft.getState().drawing;
  const type = typeOfEnd(pipeline, catalogue, id.split(">")[0] ?? "");
  const { at, place } = pressed;
  return (
    <>
      {type && (
        <Item
          icon="add"
          text={t("menu.insert")}
          onPress={() =>
            setTools({ adding: { wanted: { kind: "edge", edge: id, type }, at, place } })
          }
        />
      )}
      <Item icon="unlink" text={t("menu.cut")} onPress={() => actions.cut(new Set([id]))} />
    </>
  );
}

function PaneItems({ pressed: { at, place } }: { pressed: Pressed }) {
  const { t } = useTranslation();
  const sizes = useSizes();
  const all = () => select(useDraft.getState().drawing.pipeline.nodes.map((node) => node.id));
  return (
    <>
      <Item
        icon="add"
        text={t("menu.add")}
        onPress={() => setTools({ adding: { wanted: { kind: "any" }, at, place } })}
      />
      <Item icon="table" text={t("menu.all")} onPress={all} />
      <Item icon="arrange" text={t("menu.tidy")} onPress={() => actions.tidy(sizes())} />
    </>
  );
}

interface ItemProps {
  icon: IconName;
  text: ReactNode;
  onPress: () => void;
}

function Item({ icon, text, onPress }: ItemProps) {
  const press = () => {
    const { pressed } = useTools.getState();
    setTools({ pressed: null });
    if (pressed?.kind === "node") focusNode(pressed.id); // where the focus is again after a dialog
    onPress();
  };
  return (
    <Menu.Item leftSection={<Icon name={icon} />} onClick={press} closeMenuOnClick={false}>
      {text}
    </Menu.Item>
  );
}
