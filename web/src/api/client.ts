/** Asks the server; an answer that is none is thrown as the error it holds. */
import { hearDate } from "./serverTime";
import type { ErrorInfo } from "./types";

/** An error as the server said it, or that it could not be reached (status 0). */
export class ApiFailure extends Error {
  readonly status: number;
  readonly error: ErrorInfo;
  readonly answer: Readonly<Record<string, unknown>>;

  constructor(status: number, error: ErrorInfo, answer: Readonly<Record<string, unknown>> = {}) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.answer = answer;
  }
}

/** Whether asking once more may help: not where the server has understood and refused, or waited long itself. */
export function mayAskAgain(timesFailed: number, problem: unknown): boolean {
  const answer = problem instanceof ApiFailure ? problem : null;
  const wasRefused = answer !== null && answer.status >= 400 && answer.status < 500;
  return timesFailed < 1 && !wasRefused && answer?.error.type !== "StoreBusyError";
}

interface Question {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
  /** Sent as they are, instead of a body as JSON. */
  readonly bytes?: Blob;
  readonly version?: number;
  readonly signal?: AbortSignal;
}

export async function ask<T>(path: string, question: Question = {}): Promise<T> {
  const { method = "GET", body, bytes, version, signal } = question;
  const headers = new Headers({ accept: "application/json" });
  const type = bytes ? "application/octet-stream" : "application/json";
  if (method !== "GET") headers.set("content-type", type);
  if (version !== undefined) headers.set("if-match", `"${version}"`);
  const answer = await reach(`/api${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(bytes ? { body: bytes } : {}),
    ...(signal ? { signal } : {}),
  });
  hearDate(answer.headers.get("date"));
  if (answer.status === 204) return undefined as T;
  const content = await contentOf(answer);
  if (answer.ok) return content as T;
  throw failureOf(answer.status, content);
}

async function reach(address: string, question: RequestInit): Promise<Response> {
  try {
    return await fetch(address, question);
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new ApiFailure(0, plain("unreachable", "The studio cannot be reached."));
  }
}

async function contentOf(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    throw new ApiFailure(answer.status, plain("no-json", `The server answered ${answer.status}.`));
  }
}

function failureOf(status: number, content: unknown): ApiFailure {
  const answer = (content ?? {}) as Record<string, unknown>;
  const error = (answer.error ?? plain("unknown", `The server answered ${status}.`)) as ErrorInfo;
  return new ApiFailure(status, error, answer);
}

function plain(reason: string, message: string): ErrorInfo {
  return { code: "", type: "", message, hint: "", reason, details: {} };
}
