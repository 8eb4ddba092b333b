/** A run: what it is doing or did, node by node. It is never changed here; an edit is a copy. */
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../api/client";
import { shareRun } from "../api/peopleQuestions";
import { addressOf } from "../api/runQuestions";
import type { RunDetail, RunNow } from "../api/types";
import { Icon } from "../icons/Icon";
import { ShareSwitch } from "../people/ShareSwitch";
import { useSession } from "../people/useSession";
import { Confirm } from "../shell/Confirm";
import { Message } from "../shell/Message";
import { go } from "../shell/route";
import { FailureCard, RequestFailure } from "./FailureCard";
import { NodeList } from "./NodeList";
import { NodePanel } from "./NodePanel";
import { useCancel, useDelete, useEditCopy, useResume, useRun } from "./queries";
import styles from "./run.module.css";
import { StateLabel } from "./StateLabel";
import { useNow } from "./useNow";
import { duration, moment } from "./words";

interface RunPageProps {
  id: string;
  node: string;
  /** Draws the run as a graph, where there is room; a list of its nodes stands in its place. */
  graph?: (run: RunDetail, now: RunNow | null, node: string) => ReactNode;
}

export function RunPage({ id, node, graph }: RunPageProps) {
  const { t } = useTranslation();
  const { detail, now } = useRun(id);
  const run = detail.data;
  const panel = useRef<HTMLElement>(null);
  const failed = run ? failedNode(run) : "";
  useEffect(() => {
    if (failed && !node) go({ view: "run", id, node: failed }, { replace: true });
  }, [failed, node, id]);
  useEffect(() => {
    // On a narrow screen it stands below the list of nodes.
    if (node) panel.current?.scrollIntoView({ block: "start" });
  }, [node]);
  if (!run) {
    if (detail.error instanceof ApiFailure && detail.error.status === 404) {
      return (
        <Message title={t("run.gone")}>
          <Button onClick={() => go({ view: "runs" })}>{t("run.all")}</Button>
        </Message>
      );
    }
    return detail.error ? (
      <RequestFailure problem={detail.error} onAgain={() => void detail.refetch()} />
    ) : null;
  }
  const chosen = run.wanted.includes(node) ? node : "";
  return (
    <div className={styles.run}>
      <RunHeader run={run} now={now} />
      <div className={styles.body}>
        <div className={styles.graph}>
          {graph ? graph(run, now, chosen) : <NodeList run={run} now={now} chosen={chosen} />}
        </div>
        <aside className={styles.panel} ref={panel}>
          {run.error && !failed && <FailureCard error={run.error} />}
          {chosen ? (
            <NodePanel key={chosen} run={run} now={now} node={chosen} />
          ) : (
            <p className="quiet">{t("run.choose")}</p>
          )}
        </aside>
      </div>
    </div>
  );
}

/** The node on whose error a run that failed is opened. */
export function failedNode(run: RunDetail): string {
  return run.wanted.find((name) => run.nodes[name]?.state === "failed") ?? "";
}

function RunHeader({ run, now }: { run: RunDetail; now: RunNow | null }) {
  const { t } = useTranslation();
  const state = now?.state ?? run.state;
  const isStopping = now?.is_stopping ?? run.is_stopping;
  const isOpen = state === "running" || state === "queued";
  const canResume = state !== "running" && state !== "completed";
  const { canEdit } = useSession();
  const queries = useQueryClient();
  const isMine = run.ownership.is_mine && canEdit;
  const clock = useNow(1_000);
  const cancel = useCancel();
  const resume = useResume();
  const edit = useEditCopy();
  const problem = cancel.error ?? resume.error ?? edit.error;
  const ends = Object.values(run.nodes).flatMap((one) => (one.ended ? [one.ended] : []));
  const starts = Object.values(run.nodes).flatMap((one) => (one.started ? [one.started] : []));
  const began = starts.length > 0 ? Math.min(...starts) : null;
  const end = isOpen ? clock : ends.length > 0 ? Math.max(...ends) : null;
  return (
    <header className={styles.header}>
      <h1 className={styles.title}>{run.name}</h1>
      <StateLabel state={state} />
      <span className="quiet number">
        {t(run.asked_by ? "run.askedBy" : "run.asked", {
          time: moment(run.created, clock),
          user: run.asked_by,
        })}
        {began !== null && end !== null && ` · ${duration(t, end - began)}`}
      </span>
      <span className="quiet number">{run.id}</span>
      <div className={styles.buttons}>
        <ShareSwitch
          ownership={run.ownership}
          onShare={shareRun(run.id)}
          onDone={() => queries.invalidateQueries({ queryKey: ["run", run.id] })}
        />
        {isOpen && isMine && (
          <Button
            leftSection={<Icon name="stop" size={14} />}
            loading={cancel.isPending}
            onClick={() => cancel.mutate({ run: run.id, atOnce: isStopping })}
          >
            {t(isStopping ? "run.stopAtOnce" : "run.stop")}
          </Button>
        )}
        {canResume && isMine && (
          <Button
            variant="filled"
            leftSection={<Icon name="resume" size={14} />}
            loading={resume.isPending}
            onClick={() => resume.mutate(run.id)}
          >
            {t("run.resume")}
          </Button>
        )}
        {canEdit && (
          <Button
            leftSection={<Icon name="copy" size={14} />}
            loading={edit.isPending}
            onClick={() =>
              edit.mutate(run, { onSuccess: (copy) => go({ view: "pipeline", id: copy }) })
            }
          >
            {t("run.edit")}
          </Button>
        )}
        {run.has_report && (
          <Button
            component="a"
            href={addressOf.runReport(run.id)}
            target="_blank"
            leftSection={<Icon name="external" size={14} />}
          >
            {t("run.report")}
          </Button>
        )}
        {!isOpen && isMine && <DeleteButton run={run.id} />}
      </div>
      {isStopping && <p className={styles.note}>{t("run.stopping")}</p>}
      {state === "interrupted" && <p className={styles.note}>{t("run.interruptedNow")}</p>}
      {problem && <RequestFailure problem={problem} />}
    </header>
  );
}

function DeleteButton({ run }: { run: string }) {
  const { t } = useTranslation();
  const [isAsking, setAsking] = useState(false);
  const remove = useDelete();
  return (
    <>
      <Button leftSection={<Icon name="delete" size={14} />} onClick={() => setAsking(true)}>
        {t("run.delete")}
      </Button>
      <Confirm
        isOpen={isAsking}
        title={t("run.deleteTitle")}
        text={t("run.deleteAsk")}
        action={t("run.delete")}
        isBusy={remove.isPending}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate(run, { onSuccess: () => go({ view: "runs" }) })}
      >
        {remove.error && <RequestFailure problem={remove.error} />}
      </Confirm>
    </>
  );
}
