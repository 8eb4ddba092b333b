import { expect, it } from "vitest";
import { groupsOf } from "./groups";

const curve = (name: string, kind: "step" | "epoch", rank = 0) => ({ name, kind, rank, unit: "" });

it("training and validation loss stand in one chart, each process in it", () => {
  const all = [
    curve("Valid loss", "epoch"),
    curve("Train loss", "step"),
    curve("Train loss", "epoch"),
  ];
  const [loss] = groupsOf(all);
  expect(loss?.title).toBe("loss");
  expect(loss?.series).toEqual([curve("Train loss", "step"), curve("Valid loss", "epoch")]);
});

it("a curve of every process is drawn for every process", () => {
  const all = [0, 1, 2].map((rank) => curve("Step time", "step", rank));
  expect(groupsOf(all).map((group) => group.series.length)).toEqual([3]);
});

it("a curve that nobody knows has a chart of its own, behind the others", () => {
  const groups = groupsOf([curve("Gradient norm", "step"), curve("learning rate", "step")]);
  expect(groups.map((group) => group.title)).toEqual(["rate", "Gradient norm"]);
});
