/** A list to add a node from: what fits the wire that was let go, or all; typed letters narrow it down. */
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Component } from "../graph/catalogue";
import { between, fitting } from "../graph/fit";
import { searched } from "../graph/search";
import * as actions from "./actions";
import { PortMark } from "./PortMark";
import styles from "./QuickAdd.module.css";
import { useSurroundings } from "./surroundings";
import { type Adding, setTools, useTools, type Wanted } from "./tools";

const WIDTH = 300;
const HEIGHT = 340;

export function QuickAdd() {
  const adding = useTools((tools) => tools.adding);
  return adding ? <AddList key={adding.at.join()} adding={adding} /> : null;
}

function AddList({ adding }: { adding: Adding }) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const { wanted } = adding;
  const offered = useMemo(() => {
    const all = [...catalogue.components.values()];
    if (wanted.kind === "edge") return all.filter((one) => between(one, wanted.type));
    if (wanted.kind === "any") return all;
    const side = wanted.side === "output" ? "inputs" : "outputs";
    return fitting(catalogue, wanted.type, side).map((one) => one.component);
  }, [catalogue, wanted]);
  const found = searched(offered, text);
  const opener = useRef(document.activeElement);
  const close = () => setTools({ adding: null });
  const leave = () => {
    close();
    if (opener.current instanceof HTMLElement) opener.current.focus();
  };
  const take = (component: Component | undefined) => {
    if (!component) return;
    close();
    actions.add(component, adding.place, wanted);
  };
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  useEffect(() => {
    const press = (event: PointerEvent) => {
      if (!(event.target as Element).closest(`.${styles.box}`)) setTools({ adding: null });
    };
    window.addEventListener("pointerdown", press, true);
    return () => window.removeEventListener("pointerdown", press, true);
  }, []);
  const key = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen(Math.min(Math.max(chosen + step, 0), found.length - 1));
    else if (event.key === "Enter") take(found[chosen]);
    else if (event.key === "Escape" || event.key === "Tab") leave();
    else return;
    event.preventDefault();
  };
  const left = Math.min(adding.at[0], window.innerWidth - WIDTH - 8);
  const top = Math.min(adding.at[1], window.innerHeight - HEIGHT - 8);
  return (
    <div
      className={styles.box}
      role="dialog"
      aria-label={t("add.label")}
      style={{ left: Math.max(left, 8), top: Math.max(top, 8), width: WIDTH, maxHeight: HEIGHT }}
    >
      <Asked wanted={wanted} />
      <input
        className={styles.search}
        placeholder={t("add.search")}
        aria-label={t("add.search")}
        role="combobox"
        aria-expanded="true"
        aria-controls="add-list"
        aria-activedescendant={found[chosen] ? `add-${found[chosen].name}` : undefined}
        // biome-ignore lint/a11y/noAutofocus: a person has just asked for this list
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setChosen(0);
        }}
        onKeyDown={key}
      />
      <div
        className={styles.list}
        id="add-list"
        role="listbox"
        ref={list}
        aria-label={t("add.label")}
      >
        {found.map((component, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above
          <div
            key={component.name}
            id={`add-${component.name}`}
            role="option"
            tabIndex={-1}
            aria-selected={at === chosen}
            className={styles.option}
            onPointerMove={() => setChosen(at)}
            onClick={() => take(component)}
          >
            <div>{component.title}</div>
            <div className={styles.help}>{component.help}</div>
          </div>
        ))}
        {found.length === 0 && <p className={styles.none}>{t("add.none")}</p>}
      </div>
    </div>
  );
}

function Asked({ wanted }: { wanted: Wanted }) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  if (wanted.kind === "any") return null;
  const type = catalogue.portTypes.get(wanted.type)?.title ?? wanted.type;
  const key = wanted.kind === "edge" ? "add.onEdge" : `add.from.${wanted.side}`;
  return (
    <div className={styles.asked}>
      <PortMark type={wanted.type} />
      {t(key, { type: type.toLowerCase() })}
    </div>
  );
}
