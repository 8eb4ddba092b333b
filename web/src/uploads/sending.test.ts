import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { ApiFailure } from "../api/client";
import type { UploadState } from "../api/types";
import { type Part, type SendProgress, sendFile, type UploadQuestions } from "./sending";

const PART = 4;

/** A studio that keeps uploads in memory by the rules of the real one. */
class KeptStudio implements UploadQuestions {
  readonly uploads = new Map<string, UploadState & { content: Uint8Array }>();
  readonly puts: number[] = [];
  /** Asked before each part is taken. */
  before: (offset: number) => void = () => {};

  list = async () => ({
    unfinished: [...this.uploads.values()],
    finished: [],
    max_bytes: 1_000,
    suffixes: [".zip"],
    kept_days: 7,
  });

  read = async (id: string) => this.get(id);

  begin = async (name: string, size: number) => {
    const id = `u${this.uploads.size}`;
    const content = new Uint8Array(size);
    const made = { id, name, size_bytes: size, there: 0, changed: 0, part_bytes: PART, parts: [] };
    this.uploads.set(id, { ...made, content });
    return this.get(id);
  };

  put = async (id: string, part: Part) => {
    this.puts.push(part.offset);
    this.before(part.offset);
    return this.take(id, part.offset, new Uint8Array(part.content), part.sha256);
  };

  finish = async (id: string) => {
    const { name, content, size_bytes, there } = this.get(id);
    if (there < size_bytes) throw failure(409, "other-offset");
    return { name, path: `/uploads/${name}`, size_bytes, sha256: sha256(content) };
  };

  take(id: string, offset: number, content: Uint8Array, digest: string): number {
    const upload = this.get(id);
    if (offset !== upload.there) throw failure(409, "other-offset");
    expect(sha256(content)).toBe(digest);
    upload.content.set(content, offset);
    const there = offset + content.length;
    this.uploads.set(id, { ...upload, there, parts: [...upload.parts, digest] });
    return there;
  }

  private get(id: string) {
    const found = this.uploads.get(id);
    if (!found) throw failure(404, "no-upload");
    return found;
  }
}

const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
const failure = (status: number, reason: string) =>
  new ApiFailure(status, { code: "", type: "", message: reason, hint: "", reason, details: {} });

function sent(studio: KeptStudio, file: File, signal = new AbortController().signal) {
  const told: SendProgress[] = [];
  const waited: number[] = [];
  const wait = async (ms: number) => void waited.push(ms);
  const onProgress = (progress: SendProgress) => told.push(progress);
  return { told, waited, done: sendFile(file, { questions: studio, signal, onProgress, wait }) };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const fileOf = (text: string, name = "photos.zip") => new File([bytes(text)], name);
const PICTURES = "ants-bees-wasps";

it("a file arrives whole, part by part, and says how far it is", async () => {
  const studio = new KeptStudio();
  const { told, done } = sent(studio, fileOf(PICTURES));
  expect((await done).sha256).toBe(sha256(bytes(PICTURES)));
  expect(studio.puts).toEqual([0, 4, 8, 12]);
  expect(told.map(({ phase, there }) => [phase, there])).toEqual([
    ["sending", 0],
    ["sending", 4],
    ["sending", 8],
    ["sending", 12],
    ["finishing", 15],
  ]);
});

it("a part that is cut is sent again after longer and longer waits", async () => {
  const studio = new KeptStudio();
  let cuts = 6;
  studio.before = (offset) => {
    if (offset === 8 && cuts-- > 0) throw failure(cuts % 2 ? 0 : 503, "cut");
  };
  const { told, waited, done } = sent(studio, fileOf(PICTURES));
  expect((await done).sha256).toBe(sha256(bytes(PICTURES)));
  expect(waited).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000]);
  expect(told.filter(({ trouble }) => trouble === "cut")).toHaveLength(6);
});

it("after a reload the same file goes on, and another of its name and size does not", async () => {
  const studio = new KeptStudio();
  const stop = new AbortController();
  studio.before = (offset) => {
    if (offset === 8) stop.abort();
  };
  await expect(sent(studio, fileOf(PICTURES), stop.signal).done).rejects.toThrow();
  studio.before = () => {};
  studio.puts.length = 0;
  await sent(studio, fileOf("ants-flys-wasps")).done;
  expect(studio.puts).toEqual([0, 4, 8, 12]);
  studio.puts.length = 0;
  const { told, done } = sent(studio, fileOf(PICTURES));
  expect((await done).sha256).toBe(sha256(bytes(PICTURES)));
  expect(studio.puts).toEqual([12]);
  expect(told[0]?.phase).toBe("comparing");
});

it("two tabs with one file share an upload, and one with another file begins its own", async () => {
  for (const theirs of [PICTURES, "ants-flys-wasps"]) {
    const studio = new KeptStudio();
    studio.before = (offset) => {
      if (offset !== 4) return;
      studio.before = () => {};
      const part = bytes(theirs).slice(4, 8); // the other tab was faster
      studio.take("u0", 4, part, sha256(part));
    };
    const result = await sent(studio, fileOf(PICTURES)).done;
    expect(result.sha256).toBe(sha256(bytes(PICTURES)));
    expect(studio.uploads.size).toBe(theirs === PICTURES ? 1 : 2);
  }
});

it("what the studio refused is not tried again", async () => {
  const studio = new KeptStudio();
  studio.before = () => {
    throw failure(507, "os-error");
  };
  const { waited, done } = sent(studio, fileOf(PICTURES));
  await expect(done).rejects.toThrow("os-error");
  expect(waited).toEqual([]);
});
