/** The event log: what has happened up to the clock, newest first. */

import type { App, Part } from "./app.js";
import { byId, el, setHidden, setText } from "./dom.js";
import { eventName, fixed, DAY } from "./format.js";
import type { LogEntry } from "./protocol.js";

const FILTERS: [string, RegExp][] = [
  ["All events", /./],
  ["Alarms", /^(alarm:|cleared|lost)/],
  ["Operator", /^(operator:|resumed)/],
  ["Changes and faults", /^(set|fault|event|replacement-changed|inlet-flow|fork)/],
  ["Patient", /^(reaction:|dose|event)/],
  ["Phases", /^(prime|connect|draw|exchange|return|target|rinseback|session|disconnect)/],
];

const MOST = 200; // rows at first; a long course has thousands

export class Log implements Part {
  private readonly body = el("tbody");
  private readonly filter: HTMLSelectElement;
  private readonly more: HTMLButtonElement;
  private readonly count = el("p", { class: "hint" });
  private until = -1;
  private all = false;
  visible: () => boolean = () => true;

  constructor(private readonly app: App) {
    this.filter = el("select", { id: "log-filter", onchange: () => this.rebuild() }, ...FILTERS.map(([name], place) => el("option", { value: place }, name)));
    this.more = el("button", { type: "button", onclick: () => {
      this.all = true;
      this.rebuild();
    } }, "Show all");
    byId("drawer-log").append(
      el("p", { class: "field" }, el("label", { for: "log-filter" }, "Show"), this.filter),
      this.count,
      el("table", { class: "log" },
        el("caption", { class: "unseen" }, "Events up to the clock, newest first"),
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Day"), el("th", { scope: "col" }, "Minute"), el("th", { scope: "col" }, "Event"))),
        this.body,
      ),
      this.more,
    );
  }

  changed(): void {
    this.all = false;
    this.rebuild();
  }

  moved(): void {
    if (!this.visible()) return;
    const until = this.shownUntil();
    if (until === this.until) return;
    if (this.until >= 0 && until > this.until) this.add(this.until, until);
    else this.rebuild();
  }

  private shownUntil(): number {
    return this.app.ahead ? this.app.track.events.length : this.app.track.eventCount(this.app.clock.time);
  }

  private wanted(event: LogEntry): boolean {
    return (FILTERS[Number(this.filter.value)] ?? FILTERS[0] as [string, RegExp])[1].test(event.event);
  }

  private rebuild(): void {
    if (!this.visible()) {
      this.until = -1;
      return;
    }
    this.body.replaceChildren();
    this.add(0, this.shownUntil());
  }

  private add(from: number, until: number): void {
    this.until = until;
    const rows = this.app.track.events.slice(from, until).filter((event) => this.wanted(event)).reverse();
    const most = this.all ? Infinity : MOST;
    this.body.prepend(...rows.slice(0, most).map((event) => this.row(event)));
    while (this.body.children.length > most) this.body.lastElementChild?.remove();
    setHidden(this.more, this.all || this.body.children.length < MOST);
    setText(this.count, this.body.children.length === 0 ? "Nothing yet." : "An event leads back to its moment.");
  }

  private row(event: LogEntry): HTMLTableRowElement {
    const kind = event.event.split(":")[0] as string;
    return el("tr", { class: `event ${kind}` },
      el("td", {}, fixed(event.time / DAY, event.minute === null ? 1 : 0)),
      el("td", {}, event.minute === null ? "–" : fixed(event.minute, 1)),
      el("td", {},
        el("button", { type: "button", class: "link", onclick: () => this.app.seek(event.time) }, eventName(event.event)),
        el("span", { class: "meaning" }, event.detail),
      ),
    );
  }
}
