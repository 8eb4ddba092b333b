import { expect, it } from "vitest";
import { paceOf, type Sample, withSample } from "./pace";

const samples = (...all: [number, number][]) =>
  all.reduce<readonly Sample[]>(
    (known, [time_ms, bytes]) => withSample(known, { time_ms, bytes }),
    [],
  );

it("the pace is that of the last seconds, and the rest takes as long as it says", () => {
  const slowThenFast = samples([0, 0], [10_000, 100], [12_000, 2_100], [14_000, 4_100]);
  expect(paceOf(slowThenFast, 9_100)).toEqual({ bytes_per_s: 1_000, left_s: 5 });
});

it("nothing is said of a pace while too little is known, or nothing moves", () => {
  expect(paceOf([], 10)).toBeNull();
  expect(paceOf(samples([0, 0], [100, 5]), 10)).toBeNull();
  expect(paceOf(samples([0, 5], [1_000, 5]), 10)).toBeNull();
});

it("one that began again is measured anew", () => {
  expect(samples([0, 500], [1_000, 0], [2_000, 10])).toHaveLength(2);
});
