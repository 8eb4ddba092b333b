/** Times and states in words. */
import type { TFunction } from "i18next";
import { serverNow } from "../api/serverTime";
import { locale } from "../i18n/numbers";
import type { IconName } from "../icons/Icon";

export function duration(t: TFunction, seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("time.seconds", { seconds: whole });
  if (whole < 3_600) {
    return t("time.minutes", { minutes: Math.floor(whole / 60), seconds: whole % 60 });
  }
  if (whole < 172_800) {
    return t("time.hours", {
      hours: Math.floor(whole / 3_600),
      minutes: Math.floor((whole % 3_600) / 60),
    });
  }
  return t("time.days", { count: Math.floor(whole / 86_400) });
}

/** A moment as people of this browser write it; the date only when it is not today. */
export function moment(seconds: number, now: number = serverNow()): string {
  const date = new Date(seconds * 1_000);
  const isToday = date.toDateString() === new Date(now * 1_000).toDateString();
  const time = date.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
  return isToday
    ? time
    : `${date.toLocaleDateString(locale(), { day: "numeric", month: "short" })} ${time}`;
}

type Meaning = "good" | "bad" | "care" | "busy" | "quiet";

interface StateLook {
  icon: IconName;
  meaning: Meaning;
}

const LOOKS: Record<string, StateLook> = {
  queued: { icon: "waiting", meaning: "quiet" },
  waiting: { icon: "waiting", meaning: "quiet" },
  running: { icon: "running", meaning: "busy" },
  completed: { icon: "check", meaning: "good" },
  cached: { icon: "cached", meaning: "good" },
  "completed with warnings": { icon: "warning", meaning: "care" },
  failed: { icon: "failed", meaning: "bad" },
  interrupted: { icon: "failed", meaning: "care" },
  cancelled: { icon: "cancelled", meaning: "quiet" },
  "not run": { icon: "skipped", meaning: "quiet" },
};

export function lookOf(state: string): StateLook {
  return LOOKS[state] ?? { icon: "info", meaning: "quiet" };
}
