/** Somebody else saved first: both versions, how they differ, and what can be done. Nothing is lost. */
import { Button, Group, Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { createDraft } from "../api/questions";
import type { Draft } from "../api/types";
import { useSurroundings } from "../canvas/surroundings";
import { titleOf } from "../graph/catalogue";
import { difference } from "../graph/compare";
import { NO_HISTORY } from "../graph/history";
import type { GraphNode } from "../graph/pipeline";
import { i18n, words } from "../i18n";
import { ago } from "../i18n/when";
import { useFocusReturn } from "../shell/useFocusReturn";
import styles from "./ConflictDialog.module.css";
import { remember } from "./memory";
import { saveOnce } from "./saving";
import { memoryOf, openDraft, useDraft } from "./store";

export function ConflictDialog() {
  const theirs = useDraft((state) => state.theirs);
  return theirs ? <Conflict theirs={theirs} /> : null;
}

function Conflict({ theirs }: { theirs: Draft }) {
  const { t } = useTranslation();
  useFocusReturn();
  const base = useDraft((state) => state.version);
  const unsaved = useDraft((state) => state.unsaved);
  const [problem, setProblem] = useState("");
  const { version, saved_by: who, commands } = theirs;
  const keepBoth = () => takeBoth(theirs).catch((why: Error) => setProblem(why.message)); // both are still here
  return (
    <Modal
      opened
      onClose={() => {}}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      title={t("conflict.title")}
      size="xl"
    >
      <p>{t("conflict.lead", { base, who, version, when: ago(theirs.saved) })}</p>
      <div className={styles.sides}>
        <Side title={t("conflict.mine")} lead={t("conflict.didMine")} did={unsaved.map(words)} />
        <Side
          title={t("conflict.theirs", { version })}
          lead={t("conflict.didTheirs")}
          did={commands ?? []}
        />
      </div>
      <Differences theirs={theirs} />
      <Group mt="lg" gap="sm">
        <Button variant="filled" data-autofocus onClick={keepBoth}>
          {t("conflict.keepBoth")}
        </Button>
        <Button onClick={() => takeTheirs(theirs)}>{t("conflict.takeTheirs")}</Button>
        <Button onClick={() => takeMine(theirs)}>{t("conflict.takeMine")}</Button>
      </Group>
      <p className="quiet">{problem || t("conflict.later")}</p>
    </Modal>
  );
}

function Side({ title, lead, did }: { title: string; lead: string; did: readonly string[] }) {
  const { t } = useTranslation();
  const counted = did.map((text, at) => ({ text, key: `${at} ${text}` }));
  return (
    <section>
      <h4>{title}</h4>
      <div className="quiet">{lead}</div>
      <ul>
        {counted.map(({ key, text }) => (
          <li key={key}>{text}</li>
        ))}
        {did.length === 0 && <li>{t("conflict.nothing")}</li>}
      </ul>
    </section>
  );
}

function Differences({ theirs }: { theirs: Draft }) {
  const { t } = useTranslation();
  const { catalogue } = useSurroundings();
  const mine = useDraft(({ drawing }) => drawing.pipeline);
  const found = difference(mine, theirs.pipeline);
  const names = (nodes: readonly GraphNode[]) =>
    nodes.map((node) => titleOf(node, catalogue)).join(", ");
  const rows = [
    [t("conflict.onlyMine"), names(found.removed)],
    [t("conflict.onlyTheirs"), names(found.added)],
    [t("conflict.changed"), names(found.changed)],
  ].filter(([, text]) => text);
  if (rows.length === 0) return <p className="quiet">{t("conflict.same")}</p>;
  return (
    <dl className={styles.differences}>
      {rows.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function takeTheirs(theirs: Draft): void {
  const drawing = { pipeline: theirs.pipeline, history: NO_HISTORY };
  openDraft({ draft: theirs.id, version: theirs.version, drawing });
  void remember(memoryOf(useDraft.getState()));
}

async function takeBoth(theirs: Draft): Promise<void> {
  const { pipeline } = useDraft.getState().drawing;
  await createDraft({ ...pipeline, name: i18n.t("conflict.copyName", { name: pipeline.name }) });
  takeTheirs(theirs);
}

function takeMine(theirs: Draft): void {
  const state = useDraft.getState();
  void saveOnce(state, { base: theirs.version });
}
