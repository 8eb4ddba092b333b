import { expect, test } from "vitest";
import { byCategory, inFlowOrder, searched } from "./search";
import { toyCatalogue } from "./testing/seed";

const all = [...toyCatalogue().components.values()];
const names = (text: string) => searched(all, text).map((one) => one.name);

test("a title that begins with the letters comes first", () => {
  expect(names("d")[0]).toBe("dataset");
  expect(names("image")).toEqual(["convert_to_image_directory", "split_image_directory"]);
});

test("accents need not be typed, and may be", () => {
  const [first] = all;
  if (!first) throw new Error("The catalogue is empty.");
  const french = { ...first, title: "Évaluer les nœuds", help: "" };
  for (const text of ["eval", "ÉVAL", "noeud", "nœud"]) {
    expect(searched([french], text)).toEqual([french]);
  }
});

test("every word must be found", () => {
  expect(names("image split")).toEqual(["split_image_directory"]);
  expect(names("image nowhere")).toEqual([]);
});

test("no letters mean all, in their categories", () => {
  expect(names("")).toHaveLength(all.length);
  expect(byCategory(all).map(([category]) => category)).toEqual(["Toys"]);
});

test("components come in the order in which a pipeline needs them, those that nothing feeds last", () => {
  const [first] = all;
  if (!first) throw new Error("The catalogue is empty.");
  const port = { name: "in", type: "Nowhere", title: "", help: "", optional: false, given_by: "" };
  const unfed = { ...first, name: "unfed", inputs: [port] };
  const found = inFlowOrder([unfed, ...all.toReversed()]).map((one) => one.name);
  expect(found.at(-1)).toBe("unfed");
  const chain = ["dataset", "convert_to_image_directory", "split_image_directory"];
  expect(found.filter((name) => chain.includes(name))).toEqual(chain);
});
