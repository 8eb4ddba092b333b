/** A pipeline file that somebody chose: read as far as that is safe here; the server judges what it holds. */
import type { Pipeline } from "./pipeline";

/** As much as the engine reads of any pipeline file. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** Returns what the file of a pipeline is called. */
export function fileNameOf(name: unknown): string {
  return `${
    String(name)
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .trim() || "pipeline"
  }.json`;
}

/** Returns what a file holds if it says of itself that it is a pipeline, or null. */
export function pipelineIn(text: string): Pipeline | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  const isPipeline =
    typeof found === "object" && found !== null && "kind" in found && found.kind === "pipeline";
  return isPipeline ? (found as Pipeline) : null;
}
