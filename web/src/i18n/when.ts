/** Times and sizes as people say them, in the page's language. */

import { serverNow } from "../api/serverTime";
import { i18n } from ".";
import { fromServer } from "./fromServer";
import { locale } from "./numbers";

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const RECENT_DAYS = 6;

/** Returns how long ago something was; after some days, its date. Both in seconds since 1970. */
export function ago(time: number, now: number = serverNow()): string {
  const passed = Math.max(now - time, 0);
  if (passed > RECENT_DAYS * 86_400) {
    return new Intl.DateTimeFormat(locale(), { dateStyle: "medium" }).format(time * 1000);
  }
  const step = STEPS.find(([, seconds]) => passed >= seconds);
  if (!step) return i18n.t("ago.now");
  const words = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  return words.format(-Math.floor(passed / step[1]), step[0]);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Returns a size in bytes with its unit: powers of 1,024, as everywhere in Imageloom. */
export function sizeText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const options = { maximumSignificantDigits: 3, roundingPriority: "morePrecision" } as const;
  const words = new Intl.NumberFormat(locale(), { ...options, maximumFractionDigits: 0 });
  return `${words.format(bytes / 1024 ** power)} ${fromServer(UNITS[power] ?? "")}`;
}
