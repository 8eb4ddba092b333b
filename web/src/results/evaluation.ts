/** What evaluation.json says of a scored table (docs/guides/scores-and-reports.md), as values. */

export interface ClassRow {
  label: string;
  support: number;
  precision: number | null;
  recall: number | null;
  f1: number | null;
}

/** A label where each picture may have several. */
export interface LabelRow extends ClassRow {
  threshold: number | null;
  averagePrecision: number | null;
  rocAuc: number | null;
}

/** A picture whose label is probably wrong. */
export interface Suspicion {
  row: number;
  file: string;
  label: string;
  suggested: string;
  labelProbability: number;
  suggestedProbability: number;
}

/** The most suspicious of all that are. */
export interface Suspicions {
  images: number;
  suspicious: number;
  listed: Suspicion[];
}

export interface ConfusedPair {
  label: string;
  scored: string;
  images: number;
}

export interface Evaluation {
  name: string;
  images: number;
  leftOut: number;
  classes: string[];
  figures: [name: string, value: number | null][];
  accuracy: number | null;
  interval: [number, number] | null;
  baseline: number | null;
  perClass: ClassRow[];
  /** Pictures by their true class, then by the class that the model named; what is absent is 0. */
  matrix: Record<string, Record<string, number>>;
  pairs: ConfusedPair[];
  /** Where each picture may have several labels; else null. There is no matrix then. */
  labels: LabelRow[] | null;
  /** Null where an older version evaluated. */
  suspicions: Suspicions | null;
}

type Json = Record<string, unknown>;

export function evaluationOf(content: Json): Evaluation {
  const figures = Object.entries(record(content.figures)).map(
    ([name, value]): [string, number | null] => [name, number(value)],
  );
  const interval = list(content.accuracy_interval_95).map(number);
  const [low, high] = interval;
  return {
    name: String(content.name ?? ""),
    images: number(content.images) ?? 0,
    leftOut: number(content.left_out) ?? 0,
    classes: list(content.classes).map(String),
    figures,
    accuracy: figures.find(([name]) => name === "Overall_Accuracy")?.[1] ?? null,
    interval: typeof low === "number" && typeof high === "number" ? [low, high] : null,
    baseline: number(content.most_frequent_class_share),
    perClass: list(content.per_class).map((row) => classRow(record(row))),
    matrix: matrixOf(record(content.confusion_matrix)),
    labels:
      content.several_labels === true
        ? list(content.per_class).map((row) => labelRow(record(row)))
        : null,
    pairs: list(content.most_confused_pairs).map((pair) => pairOf(record(pair))),
    suspicions:
      content.possible_label_errors === undefined
        ? null
        : suspicionsOf(record(content.possible_label_errors)),
  };
}

/**
 * The classes that a matrix of limited size shows: those with the most mistakes, of their own or for
 * others, in the order of the class list.
 */
export function shownClasses(evaluation: Evaluation, most: number): string[] {
  if (evaluation.classes.length <= most) return evaluation.classes;
  const mistakes = new Map<string, number>();
  for (const [label, row] of Object.entries(evaluation.matrix)) {
    for (const [scored, count] of Object.entries(row)) {
      if (label === scored) continue;
      mistakes.set(label, (mistakes.get(label) ?? 0) + count);
      mistakes.set(scored, (mistakes.get(scored) ?? 0) + count);
    }
  }
  const rank = (label: string) => mistakes.get(label) ?? 0;
  const worst = [...evaluation.classes].sort((a, b) => rank(b) - rank(a)).slice(0, most);
  const kept = new Set(worst);
  return evaluation.classes.filter((label) => kept.has(label));
}

function pairOf(pair: Json): ConfusedPair {
  return {
    label: String(pair.label ?? ""),
    scored: String(pair.scored_label ?? ""),
    images: number(pair.images) ?? 0,
  };
}

function suspicionsOf(content: Json): Suspicions {
  return {
    images: number(content.images) ?? 0,
    suspicious: number(content.suspicious) ?? 0,
    listed: list(content.listed).map((row) => {
      const one = record(row);
      return {
        row: number(one.row) ?? 0,
        file: String(one.file ?? ""),
        label: String(one.label ?? ""),
        suggested: String(one.suggested_label ?? ""),
        labelProbability: number(one.label_probability) ?? 0,
        suggestedProbability: number(one.suggested_probability) ?? 0,
      };
    }),
  };
}

function classRow(row: Json): ClassRow {
  return {
    label: String(row.class ?? ""),
    support: number(row.support) ?? 0,
    precision: number(row.precision),
    recall: number(row.recall),
    f1: number(row.f1),
  };
}

function labelRow(row: Json): LabelRow {
  return {
    ...classRow(row),
    threshold: number(row.threshold),
    averagePrecision: number(row.average_precision),
    rocAuc: number(row.roc_auc),
  };
}

function matrixOf(content: Json): Evaluation["matrix"] {
  return Object.fromEntries(
    Object.entries(content).map(([label, row]) => [
      label,
      Object.fromEntries(
        Object.entries(record(row)).map(([one, count]) => [one, number(count) ?? 0]),
      ),
    ]),
  );
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
