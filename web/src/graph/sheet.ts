/** How high a sheet from below stands, in percent of the window: a strip, half, or nearly all. */
export const LOW = 6;
export const HALF = 40;
export const HIGH = 80;
const RESTS = [LOW, HALF, HIGH] as const;

/** Returns the height after a pull, which may rest anywhere between the lowest and the highest. */
export function heightAfter(height: number, by: number): number {
  return Math.min(Math.max(height + by, LOW), HIGH);
}

/** Returns the height at which a sheet comes to rest that was let go. */
export function settled(height: number): number {
  const near = (rest: number) => Math.abs(rest - height);
  return RESTS.reduce((best, rest) => (near(rest) < near(best) ? rest : best));
}

/** Returns the height that a press asks for: the next higher one, and from the highest the middle one. */
export function nextHeight(height: number): number {
  return RESTS.find((rest) => rest > height + 1) ?? HALF;
}
