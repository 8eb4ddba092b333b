/** What the API takes and answers, under short names. schema.ts is generated: `make docs`. */
import type { Pipeline } from "../graph/pipeline";
import type { components } from "./schema";

type Schemas = components["schemas"];

export type SessionInfo = Schemas["SessionInfo"];
export type TargetInfo = Schemas["TargetInfo"];
export type CatalogueInfo = Schemas["Catalogue"];
export type ProblemInfo = Schemas["ProblemInfo"];
export type NodeOutlook = Schemas["NodeOutlook"];
export type CheckedPipeline = Schemas["CheckedPipeline"];
export type DraftRow = Schemas["DraftRow"];
export type VersionRow = Schemas["VersionRow"];
export type Folder = Schemas["Folder"];
export type SourceInfo = Schemas["SourceInfo"];
export type ClassInfo = Schemas["ClassInfo"];
export type Place = Schemas["Place"];
export type RunPage = Schemas["RunPage"];
export type RunRow = Schemas["RunRow"];
export type RunDetail = Schemas["RunDetail"];
export type ErrorInfo = Schemas["ErrorInfo"];

/** The server keeps pipelines as JSON; that they are pipelines, it has checked. */
export type Draft = Omit<Schemas["Draft"], "pipeline"> & { pipeline: Pipeline };
export type Template = Omit<Schemas["Template"], "pipeline"> & { pipeline: Pipeline };
