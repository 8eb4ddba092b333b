import { describe, expect, it } from "vitest";
import { columnsOf, positive, smooth } from "./columns";

function point(step: number, value: number | null) {
  return { first_step: step, last_step: step, min: value, max: value, last: value, count: 1 };
}

describe("columns", () => {
  it("hold every peak of every line, at its step", () => {
    const steps = [
      point(1, 3),
      { first_step: 2, last_step: 9, min: -5, max: 900, last: 2, count: 8 },
    ];
    const epochs = [point(5, 1), point(9, 0.5)];
    const { x, lines } = columnsOf([{ points: steps }, { points: epochs }], 0);
    expect(x).toEqual([1, 5, 9]);
    expect(lines[0]).toEqual({
      low: [3, undefined, -5],
      high: [3, undefined, 900],
      value: [3, undefined, 447.5],
    });
    expect(lines[1]?.value).toEqual([undefined, 1, 0.5]);
  });

  it("have a gap where a value is no number", () => {
    const { lines } = columnsOf([{ points: [point(1, 2), point(2, null), point(3, 4)] }], 0);
    expect(lines[0]?.value).toEqual([2, null, 4]);
  });

  it("of no line are empty", () => {
    expect(columnsOf([], 0.5)).toEqual({ x: [], lines: [] });
  });
});

describe("smoothing", () => {
  it("leaves what is constant as it is, from the first value on", () => {
    for (const value of smooth([7, 7, 7, 7], 0.9)) expect(value).toBeCloseTo(7, 12);
  });

  it("weighs earlier values as a sum written out does", () => {
    const [a, b, c] = [4, 8, 2];
    const w = 0.6;
    const expected = (w * w * a + w * b + c) / (w * w + w + 1);
    expect(smooth([a, b, c], w)[2]).toBeCloseTo(expected, 12);
  });

  it("goes on behind a gap", () => {
    expect(smooth([1, null, 1], 0.5)).toEqual([1, null, 1]);
  });
});

it("a logarithmic scale leaves out what has no place on it", () => {
  expect(positive([1, 0, -1, null, undefined, 2])).toEqual([1, null, null, null, undefined, 2]);
});
