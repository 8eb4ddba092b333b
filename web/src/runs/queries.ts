/** What the views of runs ask the server for, and when they ask again. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import {
  cancelRun,
  copyPipeline,
  deleteRun,
  readRun,
  readRuns,
  resumeRun,
} from "../api/runQuestions";
import type { RunOrder, RunState, Whose } from "../api/types";
import { useRunNow, useRunsNow } from "../live/useLive";

export interface ListQuestion {
  text: string;
  state: RunState | null;
  whose: Whose;
  order: RunOrder;
  isReversed: boolean;
}

const PAGE = 50;

/** The list of runs, read again whenever a row changes. */
export function useRunList(question: ListQuestion) {
  const mark = useRunsNow()?.mark ?? "";
  return useInfiniteQuery({
    queryKey: ["runs", question, mark],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      readRuns(
        {
          q: question.text,
          state: question.state,
          whose: question.whose,
          sort: question.order,
          reverse: question.isReversed,
          offset: pageParam,
          limit: PAGE,
        },
        signal,
      ),
    getNextPageParam: (last, pages) => (last.more ? pages.length * PAGE : undefined),
    placeholderData: keepPreviousData,
  });
}

/** A run, read again whenever one of its states changes. */
export function useRun(run: string) {
  const now = useRunNow(run);
  const key = now === null ? "" : `${now.position} ${now.state}`;
  const detail = useQuery({
    queryKey: ["run", run, key],
    queryFn: ({ signal }) => readRun(run, signal),
    placeholderData: keepPreviousData,
  });
  return { detail, now };
}

function useRunAction<What>(act: (what: What) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () => queries.invalidateQueries({ queryKey: ["run"] }),
  });
}

export const useCancel = () =>
  useRunAction(({ run, atOnce }: { run: string; atOnce: boolean }) => cancelRun(run, atOnce));

export const useResume = () => useRunAction((run: string) => resumeRun(run));

export function useDelete() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: deleteRun,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["runs"] }),
  });
}

/** Open a copy of what a run did as a drawn pipeline, and return its id. */
export const useEditCopy = () => useMutation({ mutationFn: copyPipeline });
