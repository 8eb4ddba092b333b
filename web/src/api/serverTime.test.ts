/** A browser whose clock is wrong counts by that of the server (J23). */
import { expect, test } from "vitest";
import { hearDate, serverNow } from "./serverTime";

const HERE = 1_800_000_000;
const told = (seconds: number) => new Date(seconds * 1_000).toUTCString();

test("a clock that is a year off is put right, whichever way", () => {
  for (const off of [-31_536_000, -7, 7, 31_536_000]) {
    hearDate(told(HERE + off), HERE);
    expect(serverNow(HERE + 10)).toBe(HERE + off + 10);
  }
  hearDate(told(HERE), HERE);
  expect(serverNow(HERE)).toBe(HERE);
});

test("a second on the way moves nothing, and a clock that goes right stays", () => {
  hearDate(told(HERE), HERE);
  for (const late of [0.2, 1, 1.9]) hearDate(told(HERE), HERE + late);
  expect(serverNow(HERE)).toBe(HERE);
  hearDate(told(HERE + 3_600), HERE);
  hearDate(told(HERE + 3_601), HERE);
  expect(serverNow(HERE)).toBe(HERE + 3_600);
  hearDate(told(HERE), HERE);
});

test("an answer without a date, or with none that is one, tells nothing", () => {
  for (const date of [null, "", "yesterday"]) hearDate(date, HERE);
  expect(serverNow(HERE)).toBe(HERE);
});
