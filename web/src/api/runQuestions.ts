/** What can be asked of the server about runs, by name. */
import { ask } from "./client";
import type {
  Curve,
  Evaluations,
  LogFinds,
  LogRow,
  LogText,
  ModelCard,
  PicturePage,
  RunDetail,
  RunOrder,
  RunPage,
  RunState,
  Series,
  Whose,
} from "./types";

export type Values = Record<string, string | number | boolean | null | undefined>;

/** A query without what is not said. */
export function queryOf(values: Values): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined) query.set(name, String(value));
  }
  return query.size > 0 ? `?${query}` : "";
}

const runPath = (run: string) => `/runs/${encodeURIComponent(run)}`;
export const nodePath = (run: string, node: string) =>
  `${runPath(run)}/nodes/${encodeURIComponent(node)}`;
const logPath = (run: string, node: string, label: string) =>
  `${nodePath(run, node)}/logs/${encodeURIComponent(label)}`;

export interface RunQuery extends Values {
  q: string;
  state: RunState | null;
  whose: Whose;
  sort: RunOrder;
  reverse: boolean;
  offset: number;
  limit: number;
}

export const readRuns = (query: RunQuery, signal: AbortSignal) =>
  ask<RunPage>(`/runs${queryOf(query)}`, { signal });

export const readRun = (run: string, signal: AbortSignal) =>
  ask<RunDetail>(runPath(run), { signal });

export const cancelRun = (run: string, atOnce: boolean) =>
  ask<void>(`${runPath(run)}/cancel`, { method: "POST", body: { at_once: atOnce } });

export const resumeRun = (run: string) =>
  ask<RunDetail>(`${runPath(run)}/resume`, { method: "POST", body: {} });

export const deleteRun = (run: string) => ask<void>(runPath(run), { method: "DELETE" });

/** Begin a drawn pipeline that is a copy of what a run did; returns its id. */
export const copyPipeline = async (run: RunDetail) =>
  (
    await ask<{ id: string }>("/pipelines", {
      method: "POST",
      body: { pipeline: run.pipeline },
    })
  ).id;

export const readSeries = (run: string, node: string, signal: AbortSignal) =>
  ask<Series[]>(`${nodePath(run, node)}/series`, { signal });

export interface CurveQuery extends Values {
  name: string;
  kind: "step" | "epoch";
  rank: number;
  points: number;
  from?: number | undefined;
  to?: number | undefined;
}

export const readCurve = (run: string, node: string, query: CurveQuery, signal: AbortSignal) =>
  ask<Curve>(`${nodePath(run, node)}/series/points${queryOf(query)}`, { signal });

export const readLogs = (run: string, node: string, signal: AbortSignal) =>
  ask<LogRow[]>(`${nodePath(run, node)}/logs`, { signal });

export interface LogQuery extends Values {
  start?: number;
  lines?: number;
  limit?: number;
}

export const readLog = (run: string, node: string, label: string, query: LogQuery) =>
  ask<LogText>(`${logPath(run, node, label)}${queryOf(query)}`);

export const searchLog = (
  run: string,
  node: string,
  label: string,
  text: string,
  signal: AbortSignal,
) => ask<LogFinds>(`${logPath(run, node, label)}/search${queryOf({ text })}`, { signal });

export const readEvaluation = (run: string, node: string, signal: AbortSignal) =>
  ask<Evaluations>(`${nodePath(run, node)}/evaluation`, { signal });

export const readModelCard = (run: string, node: string, signal: AbortSignal) =>
  ask<ModelCard>(`${nodePath(run, node)}/model-card`, { signal });

export interface PictureQuery extends Values {
  label?: string;
  scored?: string;
  correct?: boolean;
  order: "confidence" | "doubt";
  offset: number;
  limit: number;
}

export const readPictures = (run: string, node: string, query: PictureQuery, signal: AbortSignal) =>
  ask<PicturePage>(`${nodePath(run, node)}/pictures${queryOf(query)}`, { signal });

/** Addresses of what a browser fetches itself. */
export const addressOf = {
  runReport: (run: string) => `/api${runPath(run)}/report`,
  nodeReport: (run: string, node: string) => `/api${nodePath(run, node)}/report`,
  model: (run: string, node: string) => `/api${nodePath(run, node)}/model-card/file`,
  table: (run: string, node: string) => `/api${nodePath(run, node)}/series/file`,
  log: (run: string, node: string, label: string) => `/api${logPath(run, node, label)}/file`,
  thumbnail: (run: string, node: string, row: number, size: number) =>
    `/api${nodePath(run, node)}/pictures/${row}/thumbnail?size=${size}`,
};
