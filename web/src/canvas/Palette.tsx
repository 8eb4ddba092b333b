/** All components by category: drag one onto the canvas or into a wire, or press it. */
import { TextInput } from "@mantine/core";
import { useReactFlow } from "@xyflow/react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Component } from "../graph/catalogue";
import { byCategory, inFlowOrder, searched } from "../graph/search";
import { Icon } from "../icons/Icon";
import * as actions from "./actions";
import styles from "./Palette.module.css";
import { PortMark } from "./PortMark";
import { carry } from "./pointer";
import { useSurroundings } from "./surroundings";

export function Palette() {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const [text, setText] = useState("");
  const all = catalogue.components.values();
  const groups = byCategory(text.trim() ? searched(all, text) : inFlowOrder(all));
  return (
    <aside className={styles.palette} aria-label={t("palette.label")}>
      <TextInput
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder={t("palette.search")}
        aria-label={t("palette.search")}
        leftSection={<Icon name="search" size={14} />}
      />
      <div className={styles.groups}>
        {groups.map(([category, components]) => (
          <section key={category}>
            <h2 className={styles.category}>{category}</h2>
            {components.map((component) => (
              <PaletteItem key={component.name} component={component} />
            ))}
          </section>
        ))}
        {groups.length === 0 && <p className="quiet">{t("palette.none")}</p>}
      </div>
    </aside>
  );
}

function PaletteItem({ component }: { component: Component }) {
  const { screenToFlowPosition } = useReactFlow();
  const add = () => {
    const box = document.querySelector(".react-flow")?.getBoundingClientRect();
    if (!box) return;
    const chance = Math.round(Math.random() * 64); // so that two do not hide each other
    const { x, y } = screenToFlowPosition({
      x: box.left + box.width / 2 - 112 + chance,
      y: box.top + box.height / 2 - 40 + chance,
    });
    actions.add(component, [x, y], { kind: "any" });
  };
  return (
    <button
      type="button"
      className={styles.item}
      title={component.help}
      draggable
      onDragStart={(event) => carry(event, component.name)}
      onClick={add}
    >
      <span className={styles.itemTitle}>{component.title}</span>
      <span className={styles.marks}>
        {component.outputs.slice(0, 1).map((port) => (
          <PortMark key={port.name} type={port.type} />
        ))}
      </span>
    </button>
  );
}
