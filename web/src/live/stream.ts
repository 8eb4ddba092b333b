/**
 * One stream of events for all tabs of a browser, which opens six connections per host at most.
 *
 * The tab that holds a lock of the browser is the leader: it has the EventSource, with the topics of
 * all tabs, and passes on what comes. When it is closed, the lock goes to another tab. Every event is
 * how a topic stands now, so a tab that missed some has lost nothing.
 */

export interface Source {
  close(): void;
}

/** What the stream needs of a browser; tests give their own. */
export interface Browser {
  /** Run `lead` once this tab is the leader; the promise it returns ends the leadership. */
  lead(lead: () => Promise<void>): void;
  channel(onMessage: (message: Message) => void): { post(message: Message): void; close(): void };
  open(
    topics: readonly string[],
    on: (picture: Picture) => void,
    onState: (up: boolean) => void,
  ): Source;
}

export interface Picture {
  topic: string;
  content: unknown;
}

export type Message =
  | { kind: "wants"; tab: string; topics: string[] }
  | { kind: "who" }
  | { kind: "picture"; picture: Picture }
  | { kind: "state"; up: boolean };

type Listener = (content: unknown) => void;

export class LiveStream {
  private readonly tab = `${Math.random()} ${performance.now()}`; // randomUUID needs https
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly stateListeners = new Set<(up: boolean) => void>();
  private readonly newest = new Map<string, unknown>();
  private readonly wanted = new Map<string, string[]>();
  private readonly channel: { post(message: Message): void; close(): void };
  private readonly browser: Browser;
  private source: Source | null = null;
  private sourceTopics = "";
  private isLeader = false;
  private isUp = true;
  private endLeading: () => void = () => {};

  constructor(browser: Browser) {
    this.browser = browser;
    this.channel = browser.channel((message) => this.hear(message));
    browser.lead(() => this.lead());
  }

  /** Call `listener` with how a topic stands, now if that is known, and whenever it changes. */
  follow(topic: string, listener: Listener): () => void {
    const known = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, known);
    known.add(listener);
    if (this.newest.has(topic)) listener(this.newest.get(topic));
    this.sayWhatIsWanted();
    return () => {
      known.delete(listener);
      if (known.size === 0) {
        this.listeners.delete(topic);
        this.newest.delete(topic);
      }
      this.sayWhatIsWanted();
    };
  }

  /** Call `listener` when the connection breaks, and when it is there again. */
  onState(listener: (up: boolean) => void): () => void {
    this.stateListeners.add(listener);
    listener(this.isUp);
    return () => this.stateListeners.delete(listener);
  }

  close(): void {
    this.listeners.clear();
    this.sayWhatIsWanted();
    this.endLeading();
    this.channel.close();
  }

  private lead(): Promise<void> {
    this.isLeader = true;
    this.channel.post({ kind: "who" });
    this.wanted.set(this.tab, [...this.listeners.keys()]);
    this.open();
    return new Promise((resolve) => {
      this.endLeading = () => {
        this.isLeader = false;
        this.source?.close();
        this.source = null;
        resolve();
      };
    });
  }

  private sayWhatIsWanted(): void {
    const topics = [...this.listeners.keys()];
    this.channel.post({ kind: "wants", tab: this.tab, topics });
    this.wanted.set(this.tab, topics);
    this.open();
  }

  private hear(message: Message): void {
    if (message.kind === "wants") {
      if (message.topics.length > 0) this.wanted.set(message.tab, message.topics);
      else this.wanted.delete(message.tab);
      this.open();
    } else if (message.kind === "who") {
      this.sayWhatIsWanted();
    } else if (message.kind === "picture") {
      this.show(message.picture);
    } else {
      this.showState(message.up);
    }
  }

  /** Open the source anew when other topics are wanted; only the leader has one. */
  private open(): void {
    if (!this.isLeader) return;
    const topics = [...new Set([...this.wanted.values()].flat())].sort();
    if (this.source && topics.join("\n") === this.sourceTopics) return;
    this.source?.close();
    this.sourceTopics = topics.join("\n");
    this.source =
      topics.length === 0
        ? null
        : this.browser.open(
            topics,
            (picture) => {
              this.channel.post({ kind: "picture", picture });
              this.show(picture);
            },
            (up) => {
              this.channel.post({ kind: "state", up });
              this.showState(up);
            },
          );
  }

  private show(picture: Picture): void {
    const listeners = this.listeners.get(picture.topic);
    if (!listeners) return;
    this.newest.set(picture.topic, picture.content);
    for (const listener of listeners) listener(picture.content);
  }

  private showState(up: boolean): void {
    this.isUp = up;
    for (const listener of this.stateListeners) listener(up);
  }
}
