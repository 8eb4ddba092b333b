import { expect, test } from "vitest";
import { atNode, completed, lacks, type Outlook } from "./outlook";
import { seedPipeline } from "./testing/seed";

const seed = seedPipeline();
const NO_PATH: Outlook = { kind: "incomplete", why: "No path.", hint: "Give one." };
const READY: Outlook = { kind: "ready", why: "", hint: "" };

test("what comes after an incomplete node waits for it, and only that", () => {
  const told = new Map([
    ["split", NO_PATH],
    ["densenet", READY],
    ["train", READY],
  ]);
  const found = completed(seed, told);
  expect(found.get("split")).toEqual(NO_PATH);
  expect(found.get("train")?.kind).toBe("blocked");
  expect(found.get("evaluate")?.kind).toBe("blocked");
  expect(found.get("densenet")).toEqual(READY);
  expect(found.get("dataset")?.kind).toBe("unknown");
});

test("what a node lacks is named once, with what a check found", () => {
  const problems = [{ node: "split", message: "Two.", hint: "" }];
  const outlooks = { split: NO_PATH, dataset: NO_PATH, gone: NO_PATH, train: READY };
  expect(lacks(seed, problems, outlooks)).toEqual([
    ...problems,
    { node: "dataset", message: "No path.", hint: "Give one." },
  ]);
});

test.each([
  ["Node 'train' (Train PyTorch Model): learning_rate is 3.", "learning_rate is 3."],
  ["Node 'score' has nothing on its input.", "Has nothing on its input."],
  ["No path.", "No path."],
  ["", ""],
])("at the node itself '%s' reads '%s'", (message, shown) => {
  expect(atNode(message)).toBe(shown);
});
