/** What can be asked of the server about the pictures of a run, by name. */
import { ask } from "./client";
import { queryOf, type Values } from "./runQuestions";
import type {
  Draft,
  ImagesInfo,
  LeftOutPage,
  PicturesPage,
  SearchState,
  SeenInfo,
  SetKind,
  SetsPage,
} from "./types";

/** An image directory: an output of a node of a run. */
export interface Pictures {
  readonly run: string;
  readonly node: string;
  readonly port: string;
}

const pathOf = ({ run, node, port }: Pictures) =>
  `/runs/${encodeURIComponent(run)}/nodes/${encodeURIComponent(node)}/images/${encodeURIComponent(port)}`;

export const readImages = (which: Pictures, signal: AbortSignal) =>
  ask<ImagesInfo>(pathOf(which), { signal });

export interface ImagesQuery extends Values {
  label?: string | undefined;
  problem?: SetKind | undefined;
  /** The number of a set of duplicates. */
  set?: number | undefined;
  against?: string | undefined;
  offset: number;
  limit: number;
}

export const readImagesPage = (which: Pictures, query: ImagesQuery, signal?: AbortSignal) =>
  ask<PicturesPage>(`${pathOf(which)}/pictures${queryOf(query)}`, signal ? { signal } : {});

export const readSeen = (which: Pictures, row: number, seed: number, signal: AbortSignal) =>
  ask<SeenInfo>(`${pathOf(which)}/pictures/${row}/seen?seed=${seed}`, { signal });

export const readImagesLeftOut = (which: Pictures, offset: number, signal: AbortSignal) =>
  ask<LeftOutPage>(`${pathOf(which)}/left-out?offset=${offset}`, { signal });

export const readSearch = (which: Pictures, against: string, signal: AbortSignal) =>
  ask<SearchState>(`${pathOf(which)}/duplicates${queryOf({ against })}`, { signal });

export const beginSearch = (which: Pictures, against: string) =>
  ask<SearchState>(`${pathOf(which)}/duplicates`, { method: "POST", body: { against } });

export const stopSearch = (which: Pictures, against: string) =>
  ask<void>(`${pathOf(which)}/duplicates${queryOf({ against })}`, { method: "DELETE" });

export interface SetsQuery extends Values {
  kind: SetKind;
  against: string;
  offset: number;
  limit: number;
}

export const readSets = (which: Pictures, query: SetsQuery, signal: AbortSignal) =>
  ask<SetsPage>(`${pathOf(which)}/duplicates/sets${queryOf(query)}`, { signal });

export interface SentCorrection {
  readonly file: string;
  readonly sha256: string;
  /** The new class; null leaves the picture out. */
  readonly label: string | null;
}

/** Puts corrections into the next version of a drawn pipeline, or into a new one. */
export const sendCorrections = (
  which: Pictures,
  corrections: readonly SentCorrection[],
  draft: string,
) => ask<Draft>(`${pathOf(which)}/corrections`, { method: "POST", body: { corrections, draft } });

/** The address of a picture made small, which a browser fetches itself. */
export const thumbnailOf = (which: Pictures, row: number, size: 96 | 240 | 480 | 1024) =>
  `/api${pathOf(which)}/pictures/${row}/thumbnail?size=${size}`;
