import { expect, test } from "vitest";
import { byCategory, searched } from "./search";
import { toyCatalogue } from "./testing/seed";

const all = [...toyCatalogue().components.values()];
const names = (text: string) => searched(all, text).map((one) => one.name);

test("a title that begins with the letters comes first", () => {
  expect(names("d")[0]).toBe("dataset");
  expect(names("image")).toEqual(["convert_to_image_directory", "split_image_directory"]);
});

test("every word must be found", () => {
  expect(names("image split")).toEqual(["split_image_directory"]);
  expect(names("image nowhere")).toEqual([]);
});

test("no letters mean all, in their categories", () => {
  expect(names("")).toHaveLength(all.length);
  expect(byCategory(all).map(([category]) => category)).toEqual(["Toys"]);
});
