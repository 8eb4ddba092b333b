/** The server's time, for what counts up while one looks at it. */
import { useEffect, useState } from "react";
import { serverNow } from "../api/serverTime";

/** Seconds since 1970, renewed every so many milliseconds. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => serverNow());
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
