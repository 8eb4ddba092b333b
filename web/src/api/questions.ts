/** What can be asked of the server, by name. */
import type { Pipeline } from "../graph/pipeline";
import { ask } from "./client";
import type {
  CatalogueInfo,
  CheckedPipeline,
  Draft,
  DraftRow,
  Folder,
  LeftOutPage,
  RunDetail,
  SourceInfo,
  TargetInfo,
  Template,
  VersionRow,
  Whose,
} from "./types";

export const readCatalogue = () => ask<CatalogueInfo>("/components");
export const readTargets = () => ask<TargetInfo[]>("/targets");
export const readTemplates = () => ask<Template[]>("/pipelines/templates");
export const readDrafts = (whose: Whose) => ask<DraftRow[]>(`/pipelines?whose=${whose}`);
export const readDraft = (id: string) => ask<Draft>(`/pipelines/${id}`);
export const readVersions = (id: string) => ask<VersionRow[]>(`/pipelines/${id}/versions`);
export const readVersion = (id: string, version: number) =>
  ask<Draft>(`/pipelines/${id}/versions/${version}`);
/** Where the pipeline file of a version can be saved from, as the server has it. */
export const versionFile = (id: string, version: number) =>
  `/api/pipelines/${id}/versions/${version}/file`;
export const readPlace = (path: string) => ask<Folder>(`/places?path=${encodeURIComponent(path)}`);

/** What a place holds as pictures; takes seconds where there are many. */
export const readDescription = (path: string, signal: AbortSignal) =>
  ask<SourceInfo>(`/places/description?path=${encodeURIComponent(path)}`, { signal });

export const readLeftOut = (path: string, offset: number, signal: AbortSignal) =>
  ask<LeftOutPage>(`/places/left-out?path=${encodeURIComponent(path)}&offset=${offset}`, {
    signal,
  });

export const createDraft = (pipeline: Pipeline) =>
  ask<Draft>("/pipelines", { method: "POST", body: { pipeline } });

/** Begins with a template as it is worded here; the server sees to it that its pictures are there. */
export const createFromTemplate = ({ id, pipeline }: Template) =>
  ask<Draft>(`/pipelines/templates/${id}`, { method: "POST", body: { pipeline } });

export const deleteDraft = (id: string) => ask<void>(`/pipelines/${id}`, { method: "DELETE" });

export interface Save {
  readonly pipeline: Pipeline;
  readonly commands: readonly string[];
  readonly label?: string;
}

/** Saves the version after `base`; fails with 412 when that is no longer the newest. */
export const saveDraft = (id: string, base: number, save: Save) =>
  ask<Draft>(`/pipelines/${id}`, { method: "PUT", body: save, version: base });

export const checkPipeline = (pipeline: Pipeline, signal: AbortSignal) =>
  ask<CheckedPipeline>("/check", { method: "POST", body: { pipeline }, signal });

export interface RunRequest {
  readonly pipeline: Pipeline;
  readonly only?: readonly string[];
  readonly start?: readonly string[];
  readonly fresh?: readonly string[];
}

export const beginRun = (request: RunRequest) =>
  ask<RunDetail>("/runs", { method: "POST", body: request });
