import { describe, expect, it } from "vitest";
import type { Browser, Message, Picture } from "./stream";
import { LiveStream } from "./stream";

/** A browser with tabs in one process: one lock, one channel, and a server that is asked for topics. */
class FakeBrowser {
  readonly opened: {
    topics: string[];
    closed: boolean;
    send(picture: Picture): void;
    state(up: boolean): void;
  }[] = [];
  private readonly tabs: { hear(message: Message): void }[] = [];
  private readonly waiting: (() => Promise<void>)[] = [];
  private isHeld = false;

  get sources() {
    return this.opened.filter((one) => !one.closed);
  }

  tab(): Browser {
    return {
      lead: (lead) => {
        this.waiting.push(lead);
        this.next();
      },
      channel: (hear) => {
        const tab = { hear };
        this.tabs.push(tab);
        return {
          post: (message) => {
            for (const other of this.tabs) if (other !== tab) other.hear(structuredClone(message));
          },
          close: () => void this.tabs.splice(this.tabs.indexOf(tab), 1),
        };
      },
      open: (topics, send, state) => {
        const source = { topics: [...topics], closed: false, send, state };
        this.opened.push(source);
        return {
          close: () => {
            source.closed = true;
          },
        };
      },
    };
  }

  private next(): void {
    const lead = this.isHeld ? undefined : this.waiting.shift();
    if (!lead) return;
    this.isHeld = true;
    void lead().then(() => {
      this.isHeld = false;
      this.next();
    });
  }
}

function heard(stream: LiveStream, topic: string): unknown[] {
  const list: unknown[] = [];
  stream.follow(topic, (content) => list.push(content));
  return list;
}

describe("the stream", () => {
  it("is one connection for all tabs, with the topics of all", () => {
    const browser = new FakeBrowser();
    const streams = Array.from({ length: 7 }, () => new LiveStream(browser.tab()));
    const lists = streams.map((stream, number) => heard(stream, `run ${number % 2}`));
    expect(browser.sources.map((one) => one.topics)).toEqual([["run 0", "run 1"]]);
    browser.sources[0]?.send({ topic: "run 1", content: "news" });
    expect(lists.map((one) => one.length)).toEqual([0, 1, 0, 1, 0, 1, 0]);
  });

  it("goes to another tab when its leader is closed, with what is still wanted", async () => {
    const browser = new FakeBrowser();
    const [first, second] = [new LiveStream(browser.tab()), new LiveStream(browser.tab())];
    heard(first, "run a");
    const list = heard(second, "run b");
    first.close();
    await Promise.resolve();
    await Promise.resolve();
    expect(browser.sources.map((one) => one.topics)).toEqual([["run b"]]);
    browser.sources[0]?.send({ topic: "run b", content: 1 });
    expect(list).toEqual([1]);
  });

  it("says how a topic stands to who comes later in the same tab", () => {
    const browser = new FakeBrowser();
    const stream = new LiveStream(browser.tab());
    heard(stream, "runs");
    browser.sources[0]?.send({ topic: "runs", content: 7 });
    expect(heard(stream, "runs")).toEqual([7]);
  });

  it("is not opened anew for a topic that is followed already, and closed when none is", () => {
    const browser = new FakeBrowser();
    const stream = new LiveStream(browser.tab());
    const leave = [stream.follow("runs", () => {}), stream.follow("runs", () => {})];
    expect(browser.opened.length).toBe(1);
    for (const one of leave) one();
    expect(browser.sources).toEqual([]);
  });

  it("tells every tab when the server is gone, and when it is back", () => {
    const browser = new FakeBrowser();
    const streams = [new LiveStream(browser.tab()), new LiveStream(browser.tab())];
    const states: boolean[][] = streams.map(() => []);
    streams.forEach((stream, number) => {
      stream.onState((up) => states[number]?.push(up));
      heard(stream, "runs");
    });
    browser.sources[0]?.state(false);
    browser.sources[0]?.state(true);
    expect(states).toEqual([
      [true, false, true],
      [true, false, true],
    ]);
  });
});
