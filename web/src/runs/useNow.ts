/** The time, for what counts up while one looks at it. */
import { useEffect, useState } from "react";

/** Seconds since 1970, renewed every so many milliseconds. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now() / 1_000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1_000), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
