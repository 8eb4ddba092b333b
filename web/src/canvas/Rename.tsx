/** A field in the place of a node's title. Enter keeps what was typed, Escape does not. */
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { run, useDraft } from "../drafts/store";
import { setText } from "../graph/nodeCommands";
import styles from "./PipelineNode.module.css";
import { setTools } from "./tools";

export function Rename({ id, title }: { id: string; title: string }) {
  const { t } = useTranslation();
  const isLeft = useRef(false);
  const leave = (text: string | null) => {
    if (isLeft.current) return;
    isLeft.current = true;
    if (text !== null && text !== title) renameNode(id, text, title);
    setTools({ renaming: null });
  };
  return (
    <input
      className={`${styles.rename} nodrag`}
      aria-label={t("canvas.title")}
      defaultValue={title}
      // biome-ignore lint/a11y/noAutofocus: a person has just asked to type here
      autoFocus
      onFocus={(event) => event.target.select()}
      onBlur={(event) => leave(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") leave(event.currentTarget.value);
        if (event.key === "Escape") leave(null);
      }}
    />
  );
}

export function renameNode(id: string, text: string, before: string): void {
  const { pipeline } = useDraft.getState().drawing;
  const label = { key: "command.rename", values: { before, after: text } };
  run(setText(pipeline, id, "title", text, label));
}
