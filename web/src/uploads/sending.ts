/** Sends a file to the studio in parts; goes on where it was cut, also after a reload. */
import { ApiFailure } from "../api/client";
import type { FinishedUpload, UploadState, Uploads } from "../api/types";
import { sha256Of } from "./sha256";

/** What is asked of the studio; `uploadQuestions` of the API, or a studio that a test keeps. */
export interface UploadQuestions {
  list(signal: AbortSignal): Promise<Uploads>;
  read(id: string, signal: AbortSignal): Promise<UploadState>;
  begin(name: string, size: number, signal: AbortSignal): Promise<UploadState>;
  put(id: string, part: Part, signal: AbortSignal): Promise<number>;
  finish(id: string, signal: AbortSignal): Promise<FinishedUpload>;
}

export interface Part {
  readonly offset: number;
  readonly content: ArrayBuffer;
  readonly sha256: string;
}

export interface SendProgress {
  readonly id: string;
  readonly phase: "comparing" | "sending" | "finishing";
  /** How many bytes are there, or were compared. */
  readonly there: number;
  /** Why it waits before it tries again; empty while all is well. */
  readonly trouble: string;
}

interface Sending {
  readonly questions: UploadQuestions;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SendProgress) => void;
  /** Waits so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
const SOON_OVER = [0, 408, 502, 503, 504];

/** Sends all of a file and returns what became of it; a cut is tried again until it is over. */
export async function sendFile(file: File, sending: Sending): Promise<FinishedUpload> {
  const { questions, signal, onProgress } = sending;
  const tried = <T>(ask: () => Promise<T>, at: SendProgress) => untilAnswered(ask, at, sending);
  let upload = await foundOrBegun(file, sending);
  for (;;) {
    try {
      while (upload.there < file.size) {
        const at: SendProgress = { ...progressOf(upload), phase: "sending" };
        onProgress(at);
        const part = await partOf(file, upload.there, upload.part_bytes);
        const there = await tried(() => questions.put(upload.id, part, signal), at);
        upload = { ...upload, there, parts: [...upload.parts, part.sha256] };
      }
      const at: SendProgress = { ...progressOf(upload), phase: "finishing" };
      onProgress(at);
      return await tried(() => questions.finish(upload.id, signal), at);
    } catch (problem) {
      if (!(problem instanceof ApiFailure) || problem.error.reason !== "other-offset")
        throw problem;
      // Another tab sends this file too, or a part was damaged on the disk: look what is there.
      const { id } = upload;
      const now = await tried(() => questions.read(id, signal), progressOf(upload));
      upload = (await isSame(file, now, sending)) ? now : await begun(file, sending);
    }
  }
}

async function foundOrBegun(file: File, sending: Sending): Promise<UploadState> {
  const { questions, signal } = sending;
  const start: SendProgress = { id: "", phase: "comparing", there: 0, trouble: "" };
  const { unfinished } = await untilAnswered(() => questions.list(signal), start, sending);
  for (const row of unfinished) {
    if (row.name !== file.name || row.size_bytes !== file.size || row.there === 0) continue;
    const state = await untilAnswered(() => questions.read(row.id, signal), start, sending);
    if (await isSame(file, state, sending)) return state;
  }
  return begun(file, sending);
}

function begun(file: File, sending: Sending): Promise<UploadState> {
  const { questions, signal } = sending;
  const start: SendProgress = { id: "", phase: "sending", there: 0, trouble: "" };
  return untilAnswered(() => questions.begin(file.name, file.size, signal), start, sending);
}

/** Whether all that arrived of an upload is the beginning of this file. */
async function isSame(file: File, upload: UploadState, { onProgress, signal }: Sending) {
  for (const [number, sha256] of upload.parts.entries()) {
    signal.throwIfAborted();
    const offset = number * upload.part_bytes;
    onProgress({ id: upload.id, phase: "comparing", there: offset, trouble: "" });
    const part = await partOf(file, offset, upload.part_bytes);
    if (part.sha256 !== sha256) return false;
  }
  return true;
}

async function untilAnswered<T>(
  ask: () => Promise<T>,
  at: SendProgress,
  { signal, onProgress, wait }: Sending,
): Promise<T> {
  for (let ms = FIRST_WAIT_MS; ; ms = Math.min(2 * ms, LONGEST_WAIT_MS)) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (problem) {
      if (!(problem instanceof ApiFailure) || !SOON_OVER.includes(problem.status)) throw problem;
      onProgress({ ...at, trouble: problem.error.message });
      await wait(ms);
    }
  }
}

async function partOf(file: File, offset: number, size: number): Promise<Part> {
  const content = await file.slice(offset, offset + size).arrayBuffer();
  return { offset, content, sha256: await sha256Of(content) };
}

function progressOf(upload: UploadState): SendProgress {
  return { id: upload.id, phase: "comparing", there: upload.there, trouble: "" };
}
