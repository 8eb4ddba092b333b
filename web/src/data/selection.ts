/** Which pictures of a list are chosen: by mouse or keys, one by one or from one to another. */

export interface Selection {
  /** Where the keys are; -1 before anything was looked at. */
  readonly active: number;
  /** Where a range began. */
  readonly anchor: number;
  readonly chosen: ReadonlySet<number>;
}

export const NOTHING: Selection = { active: -1, anchor: -1, chosen: new Set() };

export type Way = "alone" | "toggle" | "range";

/** Chooses a picture alone, adds or takes it away, or chooses all from where a range began. */
export function choose(selection: Selection, place: number, way: Way, most: number): Selection {
  if (way === "range" && selection.anchor >= 0) {
    const { anchor } = selection;
    const from = Math.min(anchor, place);
    const length = Math.min(Math.abs(anchor - place) + 1, most);
    const start = place < anchor ? Math.max(from, anchor - length + 1) : from;
    return {
      active: place,
      anchor,
      chosen: new Set(Array.from({ length }, (_, number) => start + number)),
    };
  }
  if (way === "toggle") {
    const chosen = new Set(selection.chosen);
    if (!chosen.delete(place) && chosen.size < most) chosen.add(place);
    return { active: place, anchor: place, chosen };
  }
  return { active: place, anchor: place, chosen: new Set([place]) };
}

/** Where a key leads in a list of `total` pictures, `columns` in a row; null for another key. */
export function placeAfter(
  key: string,
  active: number,
  { columns, rows, total }: { columns: number; rows: number; total: number },
): number | null {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * rows,
    PageDown: columns * rows,
    Home: -total,
    End: total,
  };
  const step = steps[key];
  if (step === undefined || total === 0) return null;
  if (active < 0) return 0;
  const place = active + step;
  if (place >= 0 && place < total) return place;
  if (key === "Home" || key === "PageUp") return 0;
  if (key === "End" || key === "PageDown") return total - 1;
  return active;
}
