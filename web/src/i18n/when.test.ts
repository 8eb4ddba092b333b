import { expect, test } from "vitest";
import { ago, sizeText } from "./when";

const NOW = 1_790_000_000;

test.each([
  [20, "just now"],
  [60, "1 minute ago"],
  [7_300, "2 hours ago"],
  [86_400, "yesterday"],
])("%i seconds ago is %s", (passed, words) => {
  expect(ago(NOW - passed, NOW)).toBe(words);
});

test("what is long ago has its date", () => {
  expect(ago(NOW - 40 * 86_400, NOW)).toMatch(/2026$/);
});

test("sizes have their unit", () => {
  expect(sizeText(0)).toBe("0 byte");
  expect(sizeText(4_230_000)).toBe("4.23 MB");
});
