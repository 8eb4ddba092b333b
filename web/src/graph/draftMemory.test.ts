import { expect, test } from "vitest";
import { applySteps } from "./change";
import { type DraftMemory, MEMORY_FORMAT, recall } from "./draftMemory";
import { NO_HISTORY, perform } from "./history";
import { setHead } from "./nodeCommands";
import { EMPTY } from "./pipeline";

const rename = setHead(EMPTY, "name", "Mine", { key: "command.renamePipeline" });
if (!rename) throw new Error("There is no command.");
const mine: DraftMemory = {
  format: MEMORY_FORMAT,
  draft: "d",
  version: 3,
  drawing: perform({ pipeline: EMPTY, history: NO_HISTORY }, rename),
  unsaved: [rename.label],
};

test("what was not saved comes back with its undo", () => {
  const found = recall(mine, 3, EMPTY);
  expect(found).toEqual({ kind: "kept", drawing: mine.drawing, unsaved: mine.unsaved });
});

test("a save whose answer was never heard is no conflict", () => {
  const found = recall(mine, 4, applySteps(EMPTY, rename.steps));
  expect(found).toEqual({ kind: "kept", drawing: mine.drawing, unsaved: [] });
});

test("somebody else's version is a conflict only when something here is unsaved", () => {
  const theirs = { ...EMPTY, name: "Theirs" };
  expect(recall(mine, 4, theirs)).toEqual({ kind: "conflict", mine });
  expect(recall({ ...mine, unsaved: [] }, 4, theirs)).toEqual({
    kind: "fresh",
    drawing: { pipeline: theirs, history: NO_HISTORY },
  });
});

test("nothing kept, or kept by another version of the page, is the server's", () => {
  const fresh = { kind: "fresh", drawing: { pipeline: EMPTY, history: NO_HISTORY } };
  expect(recall(null, 1, EMPTY)).toEqual(fresh);
  expect(recall({ ...mine, format: 0 }, 3, EMPTY)).toEqual(fresh);
});
