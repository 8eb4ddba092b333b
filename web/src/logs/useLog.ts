/** A log of a node, read in parts and followed while it grows. */
import { useCallback, useEffect, useRef, useState } from "react";
import { readLog } from "../api/runQuestions";
import { type LogWindow, windowOf, withEarlier, withLater } from "./lines";

const PART_BYTES = 256 * 1024;
const FIRST_LINES = 1_000;

interface LogPlace {
  run: string;
  node: string;
  label: string;
}

/**
 * @param size Bytes of the log as the server tells them; when it grows, what came is read.
 * @param offset Where to begin instead of at the end.
 */
export function useLog(place: LogPlace, size: number | undefined, offset: number | null) {
  const { run, node, label } = place;
  const [view, setView] = useState<LogWindow | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const isReading = useRef(false);
  const current = useRef<LogWindow | null>(null);
  const show = useCallback((next: LogWindow | null) => {
    current.current = next;
    setView(next);
  }, []);

  useEffect(() => {
    let isLeft = false;
    show(null);
    setProblem(null);
    const query =
      offset === null
        ? { lines: FIRST_LINES, limit: PART_BYTES }
        : { start: Math.max(0, offset - 16 * 1024), limit: PART_BYTES };
    readLog(run, node, label, query).then(
      (part) => !isLeft && show(windowOf(part)),
      (error) => !isLeft && setProblem(error),
    );
    return () => {
      isLeft = true;
    };
  }, [run, node, label, offset, show]);

  const readLater = useCallback(async () => {
    const window = current.current;
    if (!window || isReading.current) return;
    isReading.current = true;
    try {
      const part = await readLog(run, node, label, { start: window.next, limit: PART_BYTES });
      if (current.current === window) show(withLater(window, part));
    } catch (error) {
      setProblem(error);
    } finally {
      isReading.current = false;
    }
  }, [run, node, label, show]);

  const readEarlier = useCallback(async () => {
    const window = current.current;
    if (!window || window.start === 0 || isReading.current) return;
    isReading.current = true;
    try {
      const start = Math.max(0, window.start - PART_BYTES);
      const limit = Math.max(4, window.start - start);
      const part = await readLog(run, node, label, { start, limit });
      if (current.current === window) show(withEarlier(window, part));
    } finally {
      isReading.current = false;
    }
  }, [run, node, label, show]);

  useEffect(() => {
    void readLater();
  }, [size, readLater]);

  return { view, problem, readEarlier, readLater };
}
