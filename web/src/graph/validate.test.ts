import { expect, test } from "vitest";
import { PART } from "./testing/seed";
import { fault, textOfValue, valueOfText } from "./validate";

const EPOCHS = { ...PART, kind: "int", optional: false, exclusive: ["minimum"], maximum: 100 };

test.each([
  [PART, 0.5, null],
  [PART, 0, "fault.range"],
  [PART, 1, "fault.range"],
  [PART, "0,5", "fault.float"],
  [PART, null, null],
  [EPOCHS, 100, null],
  [EPOCHS, 101, "fault.range"],
  [EPOCHS, 1.5, "fault.int"],
  [EPOCHS, null, "fault.missing"],
  [{ ...EPOCHS, words: ["auto"] }, "auto", null],
  [EPOCHS, "auto", "fault.int"],
  [{ ...PART, kind: "choice", choices: ["sgd"] }, "adam", "fault.choice"],
  [{ ...PART, kind: "bool" }, "yes", "fault.bool"],
])("%# a value is judged by its parameter's kind and range", (parameter, value, expected) => {
  expect(fault(parameter, value)?.key ?? null).toBe(expected);
});

test("what is typed becomes a value, and what is no number stays as it was typed", () => {
  expect(valueOfText(PART, " 0.25 ")).toBe(0.25);
  expect(valueOfText(PART, "1e-3")).toBe(0.001);
  expect(valueOfText(PART, "0,25")).toBe("0,25");
  expect(valueOfText(PART, "")).toBeUndefined();
  expect(valueOfText(EPOCHS, "")).toBe("");
  expect(valueOfText({ ...PART, kind: "list" }, "a, b,")).toEqual(["a", "b"]);
});

test("a list is shown as it is typed", () => {
  expect(textOfValue(["a", "b"])).toBe("a, b");
});

test("where people write fractions with a comma, they are shown and understood with one", () => {
  expect(valueOfText(PART, "0,25", ",")).toBe(0.25);
  expect(valueOfText(PART, "0.25", ",")).toBe(0.25);
  expect(valueOfText(PART, "0,2,5", ",")).toBe("0,2,5");
  expect(textOfValue(0.25, ",")).toBe("0,25");
  expect(textOfValue("a.b", ",")).toBe("a.b");
});
