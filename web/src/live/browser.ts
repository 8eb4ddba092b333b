/** The stream's side of a real browser. */
import type { Browser, Message, Picture } from "./stream";
import { LiveStream } from "./stream";

const NAME = "imageloom-events";

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
    const source = new EventSource(address(topics));
    const hear =
      (topicOf: (content: { run: string }) => string) => (event: MessageEvent<string>) => {
        const content = JSON.parse(event.data);
        on({ topic: topicOf(content), content } satisfies Picture);
      };
    source.addEventListener(
      "runs",
      hear(() => TOPIC_OF_RUNS),
    );
    source.addEventListener(
      "run",
      hear((content) => topicOfRun(content.run)),
    );
    source.onopen = () => onState(true);
    source.onerror = () => onState(false); // it connects again by itself
    return source;
  },
};

let stream: LiveStream | null = null;

/** The stream of this tab, opened when it is first needed. */
export function liveStream(): LiveStream {
  stream ??= new LiveStream(realBrowser);
  return stream;
}
