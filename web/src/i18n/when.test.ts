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

test.each([
  [0, "0 B"],
  [1_023, "1,023 B"],
  [1_024, "1 KiB"],
  [1_536, "1.5 KiB"],
  [4_230_000, "4.03 MiB"], // 4,230,000 / 1,048,576 = 4.034
  [1_023 * 2 ** 20, "1,023 MiB"],
  [2 ** 30, "1 GiB"],
  [80 * 2 ** 30, "80 GiB"],
  [3 * 2 ** 50, "3,072 TiB"],
])("%d bytes are written as %s", (bytes, words) => {
  expect(sizeText(bytes)).toBe(words);
});
