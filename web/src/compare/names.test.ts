import { expect, test } from "vitest";
import { shortNames } from "./names";

test("runs of one name are told apart by the end of their ids", () => {
  const found = shortNames(
    ["20261101-1-aaaa", "20261101-2-bbbb", "20261101-3-cccc"],
    ["A", "A", ""],
  );
  expect([...found.values()]).toEqual(["A …aaaa", "A …bbbb", "20261101-3-cccc"]);
  expect(shortNames(["x-1"], ["Only"]).get("x-1")).toBe("Only");
});
