/** The server's time: what it tells is told by its clock, and that of the browser may be wrong. */

const ROUGH_S = 2; // an answer tells whole seconds, and was on its way for a moment
let aheadS = 0;

/** Take note of the header `Date` of an answer, heard at a time of this browser's clock. */
export function hearDate(date: string | null, now: number = Date.now() / 1_000): void {
  const told = Date.parse(date ?? "") / 1_000;
  if (Number.isNaN(told)) return;
  const ahead = Math.abs(told - now) > ROUGH_S ? told - now : 0;
  if (Math.abs(ahead - aheadS) > ROUGH_S) aheadS = ahead;
}

/** Seconds since 1970, by the server's clock. */
export function serverNow(now: number = Date.now() / 1_000): number {
  return now + aheadS;
}
