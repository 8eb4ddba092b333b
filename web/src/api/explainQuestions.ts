/** What can be asked of the server about models: what they say of pictures, and why. */
import { ask } from "./client";
import { nodePath, queryOf, type Values } from "./runQuestions";
import type {
  AlikePage,
  ChangedPictures,
  DroppedPicture,
  Explanation,
  ModelInfo,
  RunComparison,
  Thresholds,
} from "./types";

/** A picture of an evaluation by its row, or one that was sent by its digest. */
export type PictureKey = { row: number } | { dropped: string };

const picturePath = (run: string, node: string, picture: PictureKey) =>
  `${nodePath(run, node)}/${"row" in picture ? `pictures/${picture.row}` : `dropped/${picture.dropped}`}`;

export const readModel = (run: string, node: string, signal: AbortSignal) =>
  ask<ModelInfo>(`${nodePath(run, node)}/model`, { signal });

export const readExplanation = (
  run: string,
  node: string,
  picture: PictureKey,
  ofClass: string | null,
  signal: AbortSignal,
) =>
  ask<Explanation>(
    `${picturePath(run, node, picture)}/explanation${queryOf({ of_class: ofClass })}`,
    { signal },
  );

export const readAlike = (run: string, node: string, picture: PictureKey, signal: AbortSignal) =>
  ask<AlikePage>(`${picturePath(run, node, picture)}/alike`, { signal });

export const sendPicture = (run: string, node: string, bytes: Blob) =>
  ask<DroppedPicture>(`${nodePath(run, node)}/dropped`, { method: "PUT", bytes });

export const readThresholds = (run: string, node: string, signal: AbortSignal) =>
  ask<Thresholds>(`${nodePath(run, node)}/thresholds`, { signal });

export const readComparison = (runs: readonly string[], signal: AbortSignal) =>
  ask<RunComparison>(
    `/comparison?${runs.map((run) => `run=${encodeURIComponent(run)}`).join("&")}`,
    {
      signal,
    },
  );

export interface ChangedQuery extends Values {
  left: string;
  left_node: string;
  right: string;
  right_node: string;
  side: "lost" | "won" | "both";
  offset: number;
  limit: number;
}

export const readChanged = (query: ChangedQuery, signal: AbortSignal) =>
  ask<ChangedPictures>(`/comparison/pictures${queryOf(query)}`, { signal });
