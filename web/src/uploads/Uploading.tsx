/** A file on its way to the studio: how far, how fast, how long still; and how to stop or go on. */
import { Button, Progress } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../api/client";
import type { FinishedUpload } from "../api/types";
import { giveUpUpload, uploadQuestions } from "../api/uploadQuestions";
import { percent } from "../i18n/numbers";
import { sizeText } from "../i18n/when";
import { RequestFailure } from "../runs/FailureCard";
import { duration } from "../runs/words";
import { type Pace, paceOf, type Sample, withSample } from "./pace";
import { type SendProgress, sendFile } from "./sending";
import styles from "./uploads.module.css";
import { useUploads } from "./useUploads";

const START: SendProgress = { id: "", phase: "comparing", there: 0, trouble: "" };

interface UploadingProps {
  file: File;
  onDone: (done: FinishedUpload) => void;
  onCancelled: () => void;
}

export function Uploading({ file, onDone, onCancelled }: UploadingProps) {
  const { t } = useTranslation();
  const { data: uploads } = useUploads();
  const { progress, pace, problem, again, stop } = useSending(file, onDone);
  const cancel = async () => {
    stop();
    // What cannot be deleted now, the studio removes by itself after some days.
    if (progress.id) await giveUpUpload(progress.id).catch(() => {});
    onCancelled();
  };
  const share = progress.there / Math.max(file.size, 1);
  return (
    <section className={styles.uploading} aria-label={t("upload.label")}>
      <div className={styles.head}>
        <strong className={styles.name}>{file.name}</strong>
        <span className="quiet number">{percent(share)}</span>
      </div>
      <Progress
        value={100 * share}
        aria-label={t("upload.label")}
        animated={!problem && progress.phase !== "sending"}
      />
      {!problem && (
        <p className="quiet number" role="status">
          {progress.trouble
            ? t("upload.trouble", { why: progress.trouble })
            : t(PHASES[progress.phase])}{" "}
          {progress.phase === "sending" && <Speed file={file} progress={progress} pace={pace} />}
        </p>
      )}
      {problem instanceof ApiFailure && <RequestFailure problem={problem} onAgain={again} />}
      {problem !== null && !(problem instanceof ApiFailure) && (
        <p className={styles.error} role="alert">
          {t("upload.unreadable", { why: String(problem) })}
        </p>
      )}
      {problem === null && uploads && (
        <p className="quiet">{t("upload.keeps", { count: uploads.kept_days })}</p>
      )}
      <div className={styles.foot}>
        <Button onClick={cancel}>{t("upload.cancel")}</Button>
      </div>
    </section>
  );
}

const PHASES = {
  comparing: "upload.comparing",
  sending: "upload.sending",
  finishing: "upload.finishing",
} as const;

interface SpeedProps {
  file: File;
  progress: SendProgress;
  pace: Pace | null;
}

function Speed({ file, progress, pace }: SpeedProps) {
  const { t } = useTranslation();
  const far = t("upload.far", { there: sizeText(progress.there), size: sizeText(file.size) });
  if (!pace || progress.trouble) return far;
  const rate = t("upload.rate", { rate: sizeText(pace.bytes_per_s) });
  return `${far}, ${rate}, ${t("run.left", { time: duration(t, Math.ceil(pace.left_s)) })}`;
}

function useSending(file: File, onDone: (done: FinishedUpload) => void) {
  const [progress, setProgress] = useState(START);
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const [problem, setProblem] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const [control, setControl] = useState<AbortController | null>(null);
  useEffect(() => {
    const control = new AbortController();
    const { signal } = control;
    setControl(control);
    setProblem(null);
    setSamples([]);
    const onProgress = (next: SendProgress) => {
      if (signal.aborted) return;
      setProgress(next);
      const sample = { time_ms: performance.now(), bytes: next.there };
      if (next.phase === "sending") setSamples((known) => withSample(known, sample));
    };
    const wait = (ms: number) => new Promise<void>((go) => setTimeout(go, ms));
    sendFile(file, { questions: uploadQuestions, signal, onProgress, wait })
      .then((done) => !signal.aborted && onDone(done))
      .catch((why: unknown) => !signal.aborted && setProblem(why));
    return () => control.abort();
  }, [file, attempt]);
  return {
    progress,
    pace: paceOf(samples, file.size),
    problem,
    again: () => setAttempt((last) => last + 1),
    stop: () => control?.abort(),
  };
}
