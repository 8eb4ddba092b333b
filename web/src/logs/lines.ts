/** Lines of a log, as they come in parts: what is known of it, and where the parts join. */

export interface LogPart {
  text: string;
  start: number;
  next: number;
  rest: string;
  generation: string;
  size: number;
}

export interface LogLine {
  /** Where it begins in the file, in bytes; this names it for ever, unless the log is cut. */
  offset: number;
  text: string;
}

export interface LogWindow {
  generation: string;
  start: number;
  next: number;
  lines: LogLine[];
  /** What stands behind the last end of a line. */
  rest: string;
}

const MOST_LINES = 20_000;
const encoder = new TextEncoder();

export function windowOf(part: LogPart): LogWindow {
  return {
    generation: part.generation,
    start: part.start,
    next: part.next,
    lines: linesOf(part.text, part.start),
    rest: part.rest,
  };
}

/**
 * Join a part that begins where the window ends. A part of a log that was cut meanwhile, or that
 * begins elsewhere, takes the window's place.
 */
export function withLater(window: LogWindow, part: LogPart): LogWindow {
  if (part.generation !== window.generation || part.start !== window.next) return windowOf(part);
  const lines = [...window.lines, ...linesOf(part.text, part.start)];
  const kept = lines.slice(-MOST_LINES);
  return {
    ...window,
    start: kept[0]?.offset ?? window.start,
    next: part.next,
    lines: kept,
    rest: part.rest,
  };
}

/** Join a part that ends where the window begins. */
export function withEarlier(window: LogWindow, part: LogPart): LogWindow {
  if (part.generation !== window.generation || part.next < window.start) return window;
  const before = linesOf(part.text, part.start).filter((line) => line.offset < window.start);
  return { ...window, start: part.start, lines: [...before, ...window.lines] };
}

/** Cut a text into lines with their places. Of what a progress bar wrote over, the last is kept. */
function linesOf(text: string, start: number): LogLine[] {
  if (text === "") return [];
  const lines: LogLine[] = [];
  let offset = start;
  const parts = text.split("\n");
  if (parts[parts.length - 1] === "") parts.pop();
  for (const part of parts) {
    lines.push({ offset, text: lastState(part) });
    offset += encoder.encode(part).length + 1;
  }
  return lines;
}

/** What a terminal would show of a line in which a progress bar went back to its beginning. */
export function lastState(line: string): string {
  const shown = line.replace(/\r+$/, "");
  return shown.slice(shown.lastIndexOf("\r") + 1);
}

export type Level = "bad" | "care" | "plain";

/** How a line is meant, as loggers and tracebacks write it. */
export function levelOf(line: string): Level {
  if (/\b(ERROR|CRITICAL|FATAL)\b|^Traceback |^\w*(Error|Exception)\b/.test(line)) return "bad";
  return /\bWARNING\b/.test(line) ? "care" : "plain";
}
