/** Opens a draft: what the server has, and what this browser kept of it. Nothing can be drawn before. */
import { Button, Loader } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { readDraftOwnership } from "../api/peopleQuestions";
import { useCatalogue } from "../api/queries";
import { readDraft, versionFile } from "../api/questions";
import type { Draft, Ownership } from "../api/types";
import { SurroundingsProvider } from "../canvas/surroundings";
import { recall } from "../graph/draftMemory";
import { placed } from "../graph/layout";
import { fileNameOf } from "../graph/pipelineFile";
import { Message } from "../shell/Message";
import { go } from "../shell/route";
import { keepChecking } from "./checking";
import { Editor } from "./Editor";
import { remembered } from "./memory";
import { NewerPipeline } from "./NewerPipeline";
import { SeenDraft } from "./SeenDraft";
import { keepSaving } from "./saving";
import { closeDraft, openDraft, useDraft } from "./store";

export function DraftView({ id }: { id: string }) {
  const { t } = useTranslation();
  const { data: catalogue, error: noCatalogue } = useCatalogue();
  const isOpen = useDraft((state) => state.draft === id);
  const { problem, ownership, newer } = useOpening(id);
  const error = problem ?? noCatalogue;
  if (error) {
    return (
      <Message title={t("drafts.gone")} text={error.message}>
        <Button onClick={() => go({ view: "pipelines" })}>{t("drafts.back")}</Button>
      </Message>
    );
  }
  if (newer) {
    return (
      <NewerPipeline
        content={newer.pipeline}
        file={versionFile(newer.id, newer.version)}
        fileName={fileNameOf(newer.pipeline.name)}
        onClose={() => go({ view: "pipelines" })}
      />
    );
  }
  if (!isOpen || !catalogue || !ownership) {
    return <Loader size="sm" m="lg" aria-label={t("loading")} />;
  }
  return (
    <SurroundingsProvider value={{ catalogue, isReadOnly: !ownership.is_mine }}>
      {ownership.is_mine ? <Editor /> : <SeenDraft ownership={ownership} />}
    </SurroundingsProvider>
  );
}

interface Opening {
  readonly problem: Error | null;
  readonly ownership: Ownership | null;
  /** What a newer version wrote: it stays out of the store, from which all is saved. */
  readonly newer: Draft | null;
}

function useOpening(id: string): Opening {
  const queries = useQueryClient();
  const [problem, setProblem] = useState<Error | null>(null);
  const [ownership, setOwnership] = useState<Ownership | null>(null);
  const [newer, setNewer] = useState<Draft | null>(null);
  useEffect(() => {
    let isWanted = true;
    let stop = () => {};
    setProblem(null);
    setNewer(null);
    const open = async () => {
      const [draft, memory, whose] = await Promise.all([
        readDraft(id),
        remembered(id),
        readDraftOwnership(id),
      ]);
      if (!isWanted) return;
      setOwnership(whose);
      if (draft.is_newer) return setNewer(draft);
      if (!whose.is_mine) return show(draft, recall(null, draft.version, draft.pipeline));
      show(draft, recall(memory, draft.version, draft.pipeline));
      const [stopSaving, stopChecking] = [keepSaving(), keepChecking()];
      stop = () => {
        stopSaving();
        stopChecking();
        void queries.invalidateQueries({ queryKey: ["drafts"] });
      };
    };
    open().catch((why: Error) => isWanted && setProblem(why));
    return () => {
      isWanted = false;
      stop();
      closeDraft();
    };
  }, [id, queries]);
  return { problem, ownership, newer };
}

function show(draft: Draft, found: ReturnType<typeof recall>): void {
  const { id, version } = draft;
  if (found.kind === "conflict") {
    const { drawing, unsaved, version: base } = found.mine;
    openDraft({ draft: id, version: base, drawing, unsaved, saving: "conflict", theirs: draft });
    return;
  }
  const unsaved = found.kind === "kept" ? found.unsaved : [];
  const saving = unsaved.length > 0 ? "waiting" : "saved";
  // Where nodes lie that nobody has placed is no stroke of anybody's: it is saved with the first one.
  const drawing = { ...found.drawing, pipeline: placed(found.drawing.pipeline) };
  openDraft({ draft: id, version, drawing, unsaved, saving });
}
