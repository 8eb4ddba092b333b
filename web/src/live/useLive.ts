/** Hooks that follow what the server tells. */
import { useEffect, useState } from "react";
import type { RunNow, RunsNow } from "../api/types";
import { liveStream, TOPIC_OF_RUNS, topicOfRun } from "./browser";

function useTopic<Content>(topic: string | null): Content | null {
  const [content, setContent] = useState<{ topic: string; content: Content } | null>(null);
  useEffect(() => {
    if (topic === null) return undefined;
    return liveStream().follow(topic, (news) => setContent({ topic, content: news as Content }));
  }, [topic]);
  return content?.topic === topic ? content.content : null;
}

/** How a run stands now: states, progress, and how far its files have grown. */
export function useRunNow(run: string | null): RunNow | null {
  return useTopic<RunNow>(run === null ? null : topicOfRun(run));
}

/** A mark that changes when the list of runs does. */
export function useRunsNow(): RunsNow | null {
  return useTopic<RunsNow>(TOPIC_OF_RUNS);
}

/** Whether the server answers. */
export function useIsConnected(): boolean {
  const [isUp, setIsUp] = useState(true);
  useEffect(() => liveStream().onState(setIsUp), []);
  return isUp;
}
