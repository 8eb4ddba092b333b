import { describe, expect, it } from "vitest";
import { type LogPart, lastState, levelOf, windowOf, withEarlier, withLater } from "./lines";

const ALL = "one\ntwo é\nthree\nfour\n";
const encoder = new TextEncoder();

/** What the server gives of a log from one byte to another. */
function part(start: number, end: number, generation = "1", rest = ""): LogPart {
  const bytes = encoder.encode(ALL).slice(start, end);
  const text = new TextDecoder().decode(bytes);
  return { text, start, next: end, rest, generation, size: bytes.length };
}

const texts = (window: { lines: { text: string }[] }) => window.lines.map((line) => line.text);

describe("a window on a log", () => {
  it("has every line once, at its byte, however it was read", () => {
    const whole = windowOf(part(0, encoder.encode(ALL).length));
    expect(texts(whole)).toEqual(["one", "two é", "three", "four"]);
    expect(whole.lines.map((line) => line.offset)).toEqual([0, 4, 11, 17]);
    const later = withLater(windowOf(part(0, 4)), part(4, 22));
    expect(later.lines).toEqual(whole.lines);
    const earlier = withEarlier(windowOf(part(11, 22)), part(0, 11));
    expect(earlier.lines).toEqual(whole.lines);
  });

  it("begins anew when the log was cut, so that no line of before stays", () => {
    const cut = withLater(windowOf(part(0, 11)), part(0, 4, "2"));
    expect(texts(cut)).toEqual(["one"]);
    expect(cut.generation).toBe("2");
  });

  it("keeps what has no end of line yet apart", () => {
    const growing = windowOf(part(0, 4, "1", "tw"));
    expect([texts(growing), growing.rest]).toEqual([["one"], "tw"]);
    expect(texts(withLater(growing, part(4, 11)))).toEqual(["one", "two é"]);
  });

  it("takes earlier lines once when both parts have them", () => {
    const joined = withEarlier(windowOf(part(4, 22)), part(0, 11));
    expect(texts(joined)).toEqual(["one", "two é", "three", "four"]);
  });
});

it("of a progress bar the last state is shown", () => {
  expect(lastState("10 %\r50 %\r100 %\r")).toBe("100 %");
  expect(lastState("plain")).toBe("plain");
});

it("errors and warnings are told from what is said", () => {
  expect(levelOf("2026-11-26 22:01 ERROR Node train")).toBe("bad");
  expect(levelOf("Traceback (most recent call last):")).toBe("bad");
  expect(levelOf("NaNError: the loss is not a number")).toBe("bad");
  expect(levelOf("2026-11-26 WARNING little room")).toBe("care");
  expect(levelOf("Epoch 1 of 6: error 0.5")).toBe("plain");
});
