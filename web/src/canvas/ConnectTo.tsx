/** Draws a wire without a pointer: all ports that the selected node's ports fit, as a list. */
import { Modal, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useDraft } from "../drafts/store";
import { isGiven, titleOf } from "../graph/catalogue";
import { type Partner, partners } from "../graph/fit";
import { type End, findNode } from "../graph/pipeline";
import { plain } from "../graph/search";
import * as actions from "./actions";
import styles from "./ConnectTo.module.css";
import { PortMark } from "./PortMark";
import { useSurroundings } from "./surroundings";
import { setTools, useTools } from "./tools";

interface Choice {
  readonly side: "input" | "output";
  readonly own: End;
  readonly ownTitle: string;
  readonly type: string;
  readonly partner: Partner;
}

export function ConnectTo() {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const id = useTools((tools) => tools.connecting);
  const pipeline = useDraft(({ drawing }) => drawing.pipeline);
  const [text, setText] = useState("");
  const node = id ? findNode(pipeline, id) : undefined;
  const choices = useMemo(() => {
    const component = node && catalogue.components.get(node.component);
    if (!node || !component) return [];
    return (["output", "input"] as const).flatMap((side) =>
      component[`${side}s`]
        .filter((port) => side === "input" || isGiven(port, node, component))
        .flatMap((port): Choice[] => {
          const own = { node: node.id, port: port.name };
          const facts = { side, own, ownTitle: port.title, type: port.type };
          return partners(pipeline, catalogue, own, side).map((partner) => ({ ...facts, partner }));
        }),
    );
  }, [node, pipeline, catalogue]);
  const close = () => {
    setText("");
    setTools({ connecting: null });
  };
  const take = (choice: Choice) => {
    close();
    const { own, partner } = choice;
    const [from, to] = choice.side === "output" ? [own, partner.end] : [partner.end, own];
    actions.join(catalogue, from, to);
  };
  const found = choices.filter(({ partner, ownTitle }) =>
    plain(`${ownTitle} ${partner.node} ${partner.port}`).includes(plain(text)),
  );
  const title = node ? t("connect.title", { node: titleOf(node, catalogue) }) : "";
  return (
    <Modal opened={node !== undefined} onClose={close} title={title}>
      <TextInput
        data-autofocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder={t("connect.search")}
        aria-label={t("connect.search")}
        onKeyDown={(event) => {
          if (event.key === "Enter" && found[0]) take(found[0]);
        }}
      />
      <ul className={styles.list}>
        {found.map((choice) => (
          <li key={`${choice.own.port} ${choice.partner.end.node}.${choice.partner.end.port}`}>
            <button type="button" className={styles.choice} onClick={() => take(choice)}>
              <PortMark type={choice.type} />
              <span>
                {t(`connect.${choice.side}`, {
                  own: choice.ownTitle,
                  node: choice.partner.node,
                  port: choice.partner.port,
                })}
              </span>
              {choice.side === "output" && choice.partner.isTaken && (
                <span className="quiet">{t("connect.taken")}</span>
              )}
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="quiet">{t("connect.none")}</p>}
    </Modal>
  );
}
