/** Of the pipeline as a whole: what it is for, and what is missing, each with the way to it. */
import { Textarea } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { focusNode } from "../canvas/keys";
import { useLights } from "../canvas/lights";
import { useSurroundings } from "../canvas/surroundings";
import { useChecked } from "../drafts/checking";
import { run, useDraft } from "../drafts/store";
import { titleOf } from "../graph/catalogue";
import { setHead } from "../graph/nodeCommands";
import { type Lack, lacks } from "../graph/outlook";
import { edgesOf, findNode } from "../graph/pipeline";
import { problemTitle } from "../i18n/problem";
import { Icon } from "../icons/Icon";
import styles from "./Panel.module.css";

export function PipelinePanel() {
  const { t } = useTranslation();
  const pipeline = useDraft(({ drawing }) => drawing.pipeline);
  const { problems, isFresh } = useChecked();
  const lights = useLights((state) => state.lights);
  const told = problems.map((problem) => ({ ...problem, problem }));
  const missing = lacks(pipeline, told, lights);
  return (
    <>
      <h2 className={styles.title}>{pipeline.name}</h2>
      <p className="quiet">
        {t("panel.nodes", { count: pipeline.nodes.length })},{" "}
        {t("panel.edges", { count: edgesOf(pipeline).length })}
      </p>
      <Description text={String(pipeline.description ?? "")} />
      <h3 className={styles.sectionTitle}>{t("panel.problems")}</h3>
      <ul className={styles.list} aria-busy={!isFresh} style={{ opacity: isFresh ? 1 : 0.6 }}>
        {missing.map((lack) => (
          <li key={`${lack.node} ${lack.message}`}>
            <LackItem lack={lack} />
          </li>
        ))}
      </ul>
      {isFresh && missing.length === 0 && (
        <p className={styles.good}>
          <Icon name="check" />
          {t("panel.noProblems")}
        </p>
      )}
    </>
  );
}

function LackItem({ lack }: { lack: Lack }) {
  const { catalogue } = useSurroundings();
  const node = useDraft(({ drawing }) => findNode(drawing.pipeline, lack.node));
  const title = problemTitle(lack.problem, catalogue.components.get(node?.component ?? ""));
  const text = (
    <>
      <Icon name="warning" className={styles.care} />
      <span>
        {title && <strong>{node ? `${titleOf(node, catalogue)}. ${title}` : title}</strong>}
        <span lang="en" className={title && styles.hint}>
          {lack.message}
        </span>
        <span lang="en" className={styles.hint}>
          {lack.hint}
        </span>
      </span>
    </>
  );
  if (!lack.node) return <div className={styles.item}>{text}</div>;
  return (
    <button type="button" className={styles.item} onClick={() => focusNode(lack.node)}>
      {text}
    </button>
  );
}

function Description({ text }: { text: string }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const leave = () => {
    if (typed === text) return;
    const { pipeline } = useDraft.getState().drawing;
    run(setHead(pipeline, "description", typed, { key: "command.describe" }));
  };
  return (
    <Textarea
      label={t("panel.description")}
      autosize
      minRows={2}
      maxRows={6}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={leave}
    />
  );
}
