/** What the view of pictures asks the server for, and how long it believes the answer. */
import { keepPreviousData, useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import {
  type Pictures,
  readImages,
  readImagesLeftOut,
  readImagesPage,
  readSearch,
  readSeen,
  readSets,
} from "../api/dataQuestions";
import type { ListedPicture, SetKind } from "../api/types";
import { keyOf } from "./store";

/** What a run made never changes. */
const FOR_EVER = Number.POSITIVE_INFINITY;
const POLL_MS = 700;
export const PAGE = 120;
const SETS = 20;

export interface Filter {
  readonly label: string | undefined;
  readonly problem: SetKind | undefined;
  /** For leaks: the other image directory. */
  readonly against: string | undefined;
}

export const useImages = (which: Pictures) =>
  useQuery({
    queryKey: ["images", keyOf(which)],
    queryFn: ({ signal }) => readImages(which, signal),
    staleTime: 30_000, // the drawings in it change
  });

export const pageQuestion = (which: Pictures, filter: Filter, page: number) => ({
  queryKey: ["images-page", keyOf(which), filter, page] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    readImagesPage(which, { ...filter, offset: page * PAGE, limit: PAGE }, signal),
  staleTime: FOR_EVER,
});

/** The pictures of the pages that are looked at, by their place in the list. */
export function usePages(which: Pictures, filter: Filter, pages: readonly number[]) {
  const found = useQueries({
    queries: pages.map((page) => pageQuestion(which, filter, page)),
  });
  const pictures = new Map<number, ListedPicture>();
  found.forEach(({ data }, index) => {
    const start = (pages[index] ?? 0) * PAGE;
    data?.pictures.forEach((picture, place) => {
      pictures.set(start + place, picture);
    });
  });
  return { pictures, error: found.find((one) => one.error)?.error ?? null };
}

export const useTotal = (which: Pictures, filter: Filter) =>
  useQuery({ ...pageQuestion(which, filter, 0), placeholderData: keepPreviousData });

export const useSeen = (which: Pictures, row: number, seed: number) =>
  useQuery({
    queryKey: ["seen", keyOf(which), row, seed],
    queryFn: ({ signal }) => readSeen(which, row, seed, signal),
    staleTime: FOR_EVER,
    gcTime: 60_000,
    placeholderData: (before, query) => (query?.queryKey[2] === row ? before : undefined),
  });

/** Where a search for duplicates is, asked again while it works. */
export const useSearch = (which: Pictures, against: string) =>
  useQuery({
    queryKey: ["search", keyOf(which), against],
    queryFn: ({ signal }) => readSearch(which, against, signal),
    refetchInterval: ({ state }) => (state.data?.state === "working" ? POLL_MS : false),
  });

export const useSets = (which: Pictures, kind: SetKind, against: string) =>
  useInfiniteQuery({
    queryKey: ["sets", keyOf(which), kind, against],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      readSets(which, { kind, against, offset: pageParam, limit: SETS }, signal),
    getNextPageParam: (last, pages) =>
      pages.length * SETS < last.total ? pages.length * SETS : undefined,
    staleTime: FOR_EVER,
  });

export const useImagesLeftOut = (which: Pictures) =>
  useInfiniteQuery({
    queryKey: ["images-left-out", keyOf(which)],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => readImagesLeftOut(which, pageParam, signal),
    getNextPageParam: (last, pages) => {
      const shown = pages.reduce((sum, page) => sum + page.rows.length, 0);
      return last.rows.length > 0 && shown < last.total ? shown : undefined;
    },
    staleTime: FOR_EVER,
  });
