import { describe, expect, it } from "vitest";
import { evaluationOf, shownClasses } from "./evaluation";

const CONTENT = {
  name: "scores",
  images: 5,
  left_out: 1,
  classes: ["a", "b", "c", "d"],
  figures: { Overall_Accuracy: 0.4, Log_Loss: null },
  accuracy_interval_95: [0.1, 0.8],
  most_frequent_class_share: 0.6,
  per_class: [{ class: "a", support: 2, precision: null, recall: 0.5, f1: null }],
  confusion_matrix: { a: { a: 1, c: 1 }, c: { c: 1, a: 2 } },
};

describe("an evaluation", () => {
  it("is read with what is missing as missing, not as 0", () => {
    const evaluation = evaluationOf(CONTENT);
    expect(evaluation.accuracy).toBe(0.4);
    expect(evaluation.figures[1]).toEqual(["Log_Loss", null]);
    expect(evaluation.interval).toEqual([0.1, 0.8]);
    expect(evaluation.perClass[0]?.precision).toBeNull();
    expect(evaluation.matrix.c?.a).toBe(2);
  });

  it("of another form is empty instead of a fault", () => {
    const evaluation = evaluationOf({ figures: 3, per_class: "x", confusion_matrix: [1] });
    expect([evaluation.figures, evaluation.perClass, evaluation.matrix]).toEqual([[], [], {}]);
  });

  it("shows the classes with most mistakes where not all have room, in their order", () => {
    expect(shownClasses(evaluationOf(CONTENT), 2)).toEqual(["a", "c"]);
    expect(shownClasses(evaluationOf(CONTENT), 9)).toEqual(["a", "b", "c", "d"]);
  });
});

it("reads the figures of labels where a picture may have several, and no matrix", () => {
  const found = evaluationOf({
    several_labels: true,
    images: 4,
    figures: { Exact_Match: 0.5 },
    per_class: [
      {
        class: "cat",
        support: 2,
        threshold: 0.4,
        precision: 1,
        recall: 0.5,
        f1: 0.6667,
        average_precision: 0.9,
        roc_auc: null,
      },
    ],
  });
  expect(found.labels).toEqual([
    {
      label: "cat",
      support: 2,
      threshold: 0.4,
      precision: 1,
      recall: 0.5,
      f1: 0.6667,
      averagePrecision: 0.9,
      rocAuc: null,
    },
  ]);
  expect(found.matrix).toEqual({});
  expect(evaluationOf({ per_class: [] }).labels).toBeNull();
});
