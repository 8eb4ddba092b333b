/** What the API takes and answers, under short names. schema.ts is generated: `make docs`. */
import type { Pipeline } from "../graph/pipeline";
import type { components } from "./schema";

type Schemas = components["schemas"];

export type SessionInfo = Schemas["SessionInfo"];
export type Role = Schemas["Role"];
export type Whose = Schemas["Whose"];
export type Ownership = Schemas["OwnershipInfo"];
export type UserRow = Schemas["UserRow"];
export type ActivityPage = Schemas["ActivityPage"];
export type BinPage = Schemas["BinPage"];
export type Binned = Schemas["Binned"];
export type TargetInfo = Schemas["TargetInfo"];
export type CatalogueInfo = Schemas["Catalogue"];
export type ProblemInfo = Schemas["Problem"];
export type NodeOutlook = Schemas["NodeOutlook"];
export type CheckedPipeline = Schemas["CheckedPipeline"];
export type DraftRow = Schemas["DraftRow"];
export type VersionRow = Schemas["VersionRow"];
export type Folder = Schemas["Folder"];
export type SourceInfo = Schemas["SourceInfo"];
export type ClassInfo = Schemas["ClassInfo"];
export type Losses = Schemas["Losses"];
export type LeftOutPage = Schemas["LeftOutPage"];
export type Uploads = Schemas["Uploads"];
export type UploadRow = Schemas["UploadRow"];
export type UploadState = Schemas["UploadState"];
export type FinishedUpload = Schemas["FinishedUpload"];
export type Place = Schemas["Place"];
export type RunPage = Schemas["RunPage"];
export type RunRow = Schemas["RunSummary"];
export type RunDetail = Schemas["RunDetail"];
export type ErrorInfo = Schemas["ErrorInfo"];
export type RunState = Schemas["RunState"];
export type RunOrder = Schemas["RunOrder"];
export type RunNow = Schemas["RunNow"];
export type RunsNow = Schemas["RunsNow"];
export type NodeNow = Schemas["NodeNow"];
export type NodeFacts = Schemas["NodeFacts"];
export type Series = Schemas["SeriesRow"];
export type Curve = Schemas["Curve"];
export type LogRow = Schemas["LogRow"];
export type LogText = Schemas["LogText"];
export type LogFinds = Schemas["LogFinds"];
export type Evaluations = Schemas["Evaluations"];
export type PicturePage = Schemas["ScoredPicturesPage"];
export type PictureRow = Schemas["ScoredPicture"];

/** The server keeps pipelines as JSON; that they are pipelines, it has checked. */
export type Draft = Omit<Schemas["Draft"], "pipeline"> & { pipeline: Pipeline };
export type Template = Omit<Schemas["Template"], "pipeline"> & { pipeline: Pipeline };
