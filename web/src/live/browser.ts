/**
 * The stream's side of a real browser.
 *
 * Over plain http, from another machine, a browser has no locks. There each tab leads, and listens only
 * while it is seen, so that hidden ones leave the browser's six connections to what people look at.
 */
import type { Browser, Message, Picture } from "./stream";
import { LiveStream } from "./stream";

const NAME = "imageloom-events";
const RETRY_MS = 2_000;

export function topicOfRun(run: string): string {
  return `run ${run}`;
}

export const TOPIC_OF_RUNS = "runs";

function address(topics: readonly string[]): string {
  const query = new URLSearchParams({ runs: String(topics.includes(TOPIC_OF_RUNS)) });
  for (const topic of topics) if (topic.startsWith("run ")) query.append("run", topic.slice(4));
  return `/api/events?${query}`;
}

const realBrowser: Browser = {
  lead(lead) {
    if (navigator.locks) void navigator.locks.request(NAME, lead);
    else void lead();
  },
  channel(onMessage) {
    const channel = new BroadcastChannel(NAME);
    channel.onmessage = (event: MessageEvent<Message>) => onMessage(event.data);
    return { post: (message) => channel.postMessage(message), close: () => channel.close() };
  },
  open(topics, on, onState) {
    let source: EventSource | null = null;
    let timer = 0;
    const listening = new AbortController();
    const hear =
      (topicOf: (content: { run: string }) => string) => (event: MessageEvent<string>) => {
        const content = JSON.parse(event.data);
        on({ topic: topicOf(content), content } satisfies Picture);
      };
    const connect = () => {
      const made = new EventSource(address(topics));
      source = made;
      made.addEventListener(
        "runs",
        hear(() => TOPIC_OF_RUNS),
      );
      made.addEventListener(
        "run",
        hear((content) => topicOfRun(content.run)),
      );
      made.onopen = () => onState(true);
      made.onerror = () => {
        onState(false);
        // It connects again by itself, unless it was answered with an error.
        if (made.readyState === EventSource.CLOSED) timer = window.setTimeout(connect, RETRY_MS);
      };
    };
    const disconnect = () => {
      window.clearTimeout(timer);
      source?.close();
    };
    const { signal } = listening;
    const look = () => (document.hidden ? disconnect() : connect());
    if (!navigator.locks) document.addEventListener("visibilitychange", look, { signal });
    if (navigator.locks || !document.hidden) connect();
    return {
      close: () => {
        listening.abort();
        disconnect();
      },
    };
  },
};

let stream: LiveStream | null = null;

/** The stream of this tab, opened when it is first needed. */
export function liveStream(): LiveStream {
  stream ??= new LiveStream(realBrowser);
  return stream;
}
