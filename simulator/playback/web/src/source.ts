/** Where runs come from: data embedded in a report, or a socket. Both speak the same messages. */

import type { Embedded, Message, Request } from "./protocol.js";

/** A request as it is asked: the number is the source's business. */
export type Asked = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

export interface Source {
  /** Whether anything can be asked for. */
  readonly live: boolean;
  start(listener: Listener): void;
  /** Send a request; the number under which its answer comes, or null if it could not be sent. */
  ask(request: Asked): number | null;
}

export interface Listener {
  message(message: Message): void;
  connection(state: "connecting" | "open" | "lost"): void;
}

export class EmbeddedSource implements Source {
  readonly live = false;

  constructor(private readonly data: Embedded) {}

  start(listener: Listener): void {
    const offer = this.data.offer ?? { settings: [], faults: [], actions: [], alarms: [], fluids: [] };
    listener.message({ type: "run", id: null, run: this.data.run, offer });
    for (const run of this.data.others) listener.message({ type: "other", id: null, run });
  }

  ask(): null {
    return null;
  }
}

const FIRST_WAIT = 0.5; // s
const LONGEST_WAIT = 8; // s

export class LiveSource implements Source {
  readonly live = true;
  private socket: WebSocket | null = null;
  private wait = FIRST_WAIT;
  private count = 0;
  private listener: Listener | null = null;

  constructor(private readonly address: string) {}

  start(listener: Listener): void {
    this.listener = listener;
    this.connect();
  }

  private connect(): void {
    const listener = this.listener as Listener;
    listener.connection("connecting");
    const socket = new WebSocket(this.address);
    let opened = false;
    this.socket = socket;
    socket.addEventListener("open", () => {
      opened = true;
      listener.connection("open");
    });
    socket.addEventListener("message", (event) => {
      // only a server that talks is one to come back to soon
      this.wait = FIRST_WAIT;
      if (typeof event.data === "string") listener.message(JSON.parse(event.data) as Message);
    });
    socket.addEventListener("close", () => {
      this.socket = null;
      listener.connection("lost");
      if (!opened) void this.askWhy();
      window.setTimeout(() => this.connect(), this.wait * 1000);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    });
  }

  /** A browser hides why a socket was refused; the page itself is refused in words. */
  private async askWhy(): Promise<void> {
    try {
      const answer = await fetch(location.href);
      if (answer.status === 403) this.listener?.message({ type: "refused", id: null, message: "This server does not know this page any more: open the address that it printed." });
    } catch {
      // nobody answers at all: it is just not there
    }
  }

  ask(request: Asked): number | null {
    if (this.socket === null || this.socket.readyState !== WebSocket.OPEN) return null;
    const id = ++this.count;
    this.socket.send(JSON.stringify({ ...request, id }));
    return id;
  }
}

/** The source that this page has: what it embeds, else the server that it came from. */
export function sourceOfRuns(): Source {
  const embedded = document.getElementById("embedded");
  if (embedded !== null) return new EmbeddedSource(JSON.parse(embedded.textContent ?? "") as Embedded);
  const token = new URLSearchParams(location.search).get("token") ?? "";
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return new LiveSource(`${scheme}://${location.host}/live?token=${encodeURIComponent(token)}`);
}
