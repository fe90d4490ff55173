import "./notices.js";

import { beside, type App, type Part } from "./app.js";
import { Branches } from "./branches.js";
import { Charts } from "./charts.js";
import { Circuit, circuitRows } from "./circuit.js";
import { Clock, SPEEDS } from "./clock.js";
import { showDialog, showTable } from "./dialog.js";
import { byId, el, setHidden, setPressed, setText } from "./dom.js";
import { Drawer } from "./drawer.js";
import { eventName, SUPPLIES, words } from "./format.js";
import { Instructor } from "./instructor.js";
import { help, listen, type Key } from "./keys.js";
import { Lessons } from "./lessons.js";
import { Log } from "./log.js";
import { Panel } from "./panel.js";
import type { Change, LessonInfo, LogEntry, MachineState, Message, Offer, Run } from "./protocol.js";
import { Results } from "./results.js";
import { Sound } from "./sound.js";
import { sourceOfRuns, type Asked } from "./source.js";
import { Track } from "./track.js";
import { Transport } from "./transport.js";

const REDRAW = 0.1; // s between redraws of curves and texts
const REPORT = 1; // s between messages of where the page is
const PATIENCE = 20; // s for which the clock waits for the answer to a change
const SOON = 0.02; // min within which a change is dated after the moment at which it was made
const REMIND = 5; // s between tones of an alarm that nobody has acknowledged
const NOTED = /^(alarm:|reaction:|target-reached|session|disconnect|warning|lost|fault)/;

interface Asking {
  what: string;
  type: Asked["type"];
  at: number;
}

const NOTHING: Offer = { settings: [], faults: [], actions: [], alarms: [], fluids: [] };

class Page implements App {
  readonly clock: Clock;
  track: Track;
  readonly tracks = new Map<number, Track>();
  offer: Offer = NOTHING;
  scenarios: { name: string; title: string }[] = [];
  lessons: LessonInfo[] = [];
  ahead = false;
  pausesAtAlarms = true;
  muted = false;

  private readonly source = sourceOfRuns();
  private readonly circuit: Circuit;
  private readonly charts: Charts;
  private readonly panel: Panel;
  private readonly log: Log;
  private readonly transport: Transport;
  private readonly lesson: Lessons;
  private readonly drawer: Drawer;
  private readonly parts: Part[];
  private readonly sound = new Sound();
  private readonly asked = new Map<number, Asking>();
  private resumeAt: { run: number; time: number; speed: number } | null = null;
  private opened = false;
  private loaded = false;
  private frameAsked = false;
  private lastFrame = 0;
  private lastRedraw = 0;
  private lastReport = 0;
  private lastTone = 0;
  private reportAsked = 0;
  private letters = 0;

  constructor() {
    this.track = new Track({
      id: -1, parent: null, forked_at: null, label: "", scenario: "", title: "", description: "", until: 1, device: null, access: null,
      patient: { sex: "", weight: 0, height: 0, hematocrit: 0, blood_volume: 0, plasma_volume: 0 }, solutes: [], shown: [], sessions: [],
      curves: { time: [], session: [], columns: [] }, events: [], states: [], actions: [], sees_to: "all", tables: [], sources: [], impossible: null,
    });
    this.clock = new Clock(this.track);
    this.circuit = new Circuit(byId("circuit-place"));
    this.charts = new Charts((figure) => {
      const { caption, header, rows } = figure.table();
      showTable(caption, header, rows);
    }, () => this.refresh());
    this.panel = new Panel(this);
    this.log = new Log(this);
    this.log.visible = () => this.drawer.open === "log";
    this.transport = new Transport(this);
    this.lesson = new Lessons(this);
    this.drawer = new Drawer(() => {
      this.log.changed();
      this.refresh();
    });
    this.parts = [this.panel, this.log, this.transport, this.lesson, new Branches(this), new Instructor(this), new Results(this)];
    this.clock.stops = (event) => this.pausesAtAlarms && this.waits(event);
    this.clock.passed = (events, stopped) => this.passed(events, stopped);
    this.clock.ended = () => this.note(this.track.run.impossible === null ? "The run has ended." : `The run cannot go on: ${this.track.run.impossible.message}`);
    this.wire();
  }

  get live(): boolean {
    return this.source.live;
  }

  start(): void {
    document.documentElement.classList.toggle("embedded", !this.live);
    for (const node of document.querySelectorAll<HTMLElement>(".live")) if (!this.live) node.hidden = true;
    this.source.start({ message: (message) => this.receive(message), connection: (state) => this.connection(state) });
  }

  // What the parts ask

  state(): MachineState {
    return this.track.stateAt(this.clock.time);
  }

  priority(alarm: string): "stop" | "caution" {
    return this.offer.alarms.find((each) => each.name === alarm)?.priority === "caution" ? "caution" : "stop";
  }

  play(on: boolean): void {
    if (on && this.clock.time >= this.track.end) this.clock.seek(0);
    this.clock.playing = on;
    if (on) this.note("");
    this.refresh();
  }

  setSpeed(speed: number): void {
    this.clock.speed = speed;
    this.refresh();
  }

  seek(time: number, on = false): void {
    this.clock.seek(time);
    this.clock.playing = on;
    this.note("");
    this.refresh();
  }

  act(change: Change): void {
    if (this.clock.held) return this.toast("One change after the other: the answer to the last one is on its way.");
    const what = describe(change, this.offer);
    // what has been seen decides whether this is a fork, and the last report may be a second old
    if (this.clock.time < this.track.furthest) this.source.ask({ type: "at", run: this.track.run.id, time: this.track.furthest, speed: 0 });
    if (this.ask({ type: "act", run: this.track.run.id, at: this.clock.time, change }, what)) this.hold();
  }

  ask(request: Asked, what: string): boolean {
    const id = this.source.ask(request);
    if (id === null) {
      this.toast(`Not done: ${what}. The connection is lost; try again when it is back.`);
      return false;
    }
    this.asked.set(id, { what, type: request.type, at: this.clock.time });
    return true;
  }

  show(track: Track): void {
    if (track === this.track) return;
    if (this.live && !this.ask({ type: "show", run: track.run.id }, `show ${track.letter}`)) return;
    this.choose(track);
  }

  setVisible(track: Track, visible: boolean): void {
    track.visible = visible;
    this.changed();
  }

  setAhead(ahead: boolean): void {
    this.ahead = ahead;
    this.changed();
  }

  setPausesAtAlarms(on: boolean): void {
    this.pausesAtAlarms = on;
    this.changed();
  }

  toast(text: string): void {
    const place = byId("toasts");
    const close = el("button", { type: "button", "aria-label": "Close the message" }, "×");
    const toast = el("div", { class: "toast" }, el("p", {}, text), close);
    close.addEventListener("click", () => toast.remove());
    place.append(toast);
    while (place.children.length > 3) place.firstElementChild?.remove();
    window.setTimeout(() => toast.remove(), 4000 + 90 * text.length);
  }

  // Messages

  private receive(message: Message): void {
    const asking = "id" in message && message.id !== null ? this.take(message.id) : null;
    switch (message.type) {
      case "hello":
        this.scenarios = message.scenarios;
        this.lessons = message.lessons;
        if (!this.opened) this.resumeAt = message.at;
        this.opened = true;
        this.changed();
        break;
      case "run":
        this.arrive(message.run, message.offer, asking);
        break;
      case "other":
        this.keep(message.run);
        this.changed();
        break;
      case "saved":
        this.saved(message.name, message.text);
        break;
      case "lesson":
        if (message.lesson === null) this.lesson.leave(false);
        else if (message.id === null && this.lesson.is(message.lesson)) break; // it came back to us
        else this.lesson.show(message.lesson);
        if (message.id !== null && message.lesson !== null && this.drawer.open !== "lessons") this.drawer.show("lessons");
        break;
      case "verdict":
        this.lesson.judged(message.verdict);
        break;
      case "refused":
        this.toast(message.message);
        break;
    }
  }

  private take(id: number): Asking | null {
    const asking = this.asked.get(id) ?? null;
    this.asked.delete(id);
    if (asking?.type === "act") this.release();
    return asking;
  }

  /** A run that is kept: anew if its number is known, else under the next letter. */
  private keep(run: Run): Track {
    const track = new Track(run);
    const known = this.tracks.get(run.id);
    if (known === undefined) track.letter = letter(this.letters++);
    else {
      track.letter = known.letter;
      track.visible = known.visible;
      track.furthest = Math.min(known.furthest, track.end);
      if (known === this.track) {
        this.track = track;
        this.clock.track = track;
      }
    }
    this.tracks.set(run.id, track);
    return track;
  }

  private arrive(run: Run, offer: Offer, asking: Asking | null): void {
    // the same offer stays the same object, so that the panel is not built anew under somebody's hands
    if (JSON.stringify(offer) !== JSON.stringify(this.offer)) this.offer = offer;
    const before = this.track;
    const known = this.tracks.has(run.id);
    const begins = !known && (run.parent === null || !this.tracks.has(run.parent)) && asking?.type !== "act";
    if (begins) {
      this.tracks.clear();
      this.letters = 0;
    } else if (!known && asking?.type === "act" && run.parent !== before.run.id) {
      // what was to come has been replaced, and nothing of it had been seen
      this.tracks.delete(before.run.id);
      this.letters -= before.letter === letter(this.letters - 1) ? 1 : 0;
    }
    const track = this.keep(run);
    if (asking?.type === "act" || (asking?.type === "fork" && !known)) {
      // a change comes just after what was seen: go there, so that what it did is on the page at once
      const made = asking.type === "act" ? (run.actions[run.actions.length - 1]?.time ?? 0) : 0;
      this.clock.time = made > asking.at && made < asking.at + SOON ? made : asking.at;
      track.furthest = this.clock.time;
      const events = track.events.slice(track.eventCount(asking.at), track.eventCount(this.clock.time));
      if (events.length > 0) this.passed(events, null);
    } else if (begins) {
      const at = this.resumeAt;
      const again = at !== null && at.run === run.id;
      this.clock.track = track;
      this.clock.playing = false;
      this.clock.seek(again ? at.time : 0);
      if (again && at.speed > 0) this.clock.speed = nearest(at.speed);
      this.note("");
    }
    this.resumeAt = null;
    this.choose(track);
  }

  private choose(track: Track): void {
    this.track = track;
    this.clock.track = track;
    this.clock.seek(this.clock.time);
    this.loaded = true;
    setText(byId("title"), track.run.title);
    document.title = `${track.run.title} – Apheresis`;
    this.circuit.show(track);
    this.changed();
  }

  private saved(name: string, text: string): void {
    const file = /\.ya?ml$/.test(name) ? name : `${name}.yaml`;
    const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
    const link = el("a", { href: address, download: file, class: "button" }, `Download ${file} again`);
    link.click();
    showDialog(
      "Saved as a scenario",
      el("p", {}, "The file replays this run exactly, to the byte of its events:"),
      el("p", {}, el("code", {}, `apheresis run ${file}`)),
      el("p", {}, link),
      el("pre", { tabindex: 0, role: "region", "aria-label": "The scenario" }, text),
    );
  }

  private connection(state: "connecting" | "open" | "lost"): void {
    const node = byId("connection");
    if (state === "lost") {
      setText(node, this.opened ? "Connection lost, reconnecting…" : "No connection, trying again…");
      this.release();
      for (const { what, type } of this.asked.values()) if (type !== "at") this.toast(`No answer: ${what}. The connection was lost; try again when it is back.`);
      this.asked.clear();
    } else if (state === "open") setText(node, "");
    document.documentElement.dataset["connection"] = state;
  }

  private holding = 0;

  private hold(): void {
    this.clock.held = true;
    this.sayNote();
    this.holding = window.setTimeout(() => {
      this.release();
      this.toast("There is no answer to the last change yet; the clock goes on.");
    }, PATIENCE * 1000);
    this.refresh();
  }

  private release(): void {
    window.clearTimeout(this.holding);
    if (!this.clock.held) return;
    this.clock.held = false;
    this.sayNote();
    this.refresh();
  }

  // Time

  /** An alarm that stops the pumps and waits for the class. */
  private waits(event: LogEntry): boolean {
    if (!this.live || this.track.run.sees_to !== "bottles" || !event.event.startsWith("alarm:")) return false;
    const name = event.event.slice("alarm:".length);
    if (SUPPLIES.has(name)) return false;
    const state = this.track.stateAt(event.time);
    // that the pumps have stood for a minute is only told; where no other alarm says why, they are held
    // by the class, and what follows is a clotted circuit
    const held = name === "pumps-stopped" && state.alarms.length === 1;
    const open = (alarm: { name: string; acknowledged: boolean }): boolean => alarm.name === name && (held || !alarm.acknowledged);
    return state.stopped_by !== null && state.alarms.some(open);
  }

  private passed(events: LogEntry[], stopped: LogEntry | null): void {
    if (stopped !== null) this.note(`Paused: ${words(stopped.event.slice("alarm:".length)).toLowerCase()}. See to it, then play.`);
    const noted = events.filter((event) => NOTED.test(event.event));
    if (noted.length === 0) return;
    // what stops the pumps is urgent, whatever its priority at the operator's desk
    const stops = (event: LogEntry): boolean => this.priority(event.event.slice(6)) === "stop" || this.track.stateAt(event.time).stopped_by !== null;
    const urgent = noted.filter((event) => event.event.startsWith("alarm:") && stops(event));
    const rest = noted.filter((event) => !urgent.includes(event));
    // a screen reader cannot follow 10,000×: the last of each kind is enough
    const last = (list: LogEntry[]): string => list.slice(-2).map((event) => `${eventName(event.event)}, ${event.detail}`).join(". ");
    if (urgent.length > 0) setText(byId("alert"), last(urgent));
    if (rest.length > 0) setText(byId("polite"), last(rest));
    const alarm = urgent[0] ?? rest.find((event) => event.event.startsWith("alarm:"));
    if (alarm !== undefined) this.tone(this.priority(alarm.event.slice(6)));
  }

  private tone(priority: "stop" | "caution"): void {
    const now = performance.now() / 1000;
    if (this.muted || now - this.lastTone < 1) return;
    this.lastTone = now;
    this.sound.beep(priority);
  }

  /** An alarm goes on sounding until somebody answers it. */
  private remind(): void {
    if (!this.live || performance.now() / 1000 - this.lastTone < REMIND || this.clock.speed > 60) return;
    const open = this.state().alarms.filter((alarm) => !alarm.acknowledged);
    const worst = open.find((alarm) => this.priority(alarm.name) === "stop") ?? open[0];
    if (worst !== undefined) this.tone(this.priority(worst.name));
  }

  private noted = "";

  private note(text: string): void {
    this.noted = text;
    this.sayNote();
  }

  private sayNote(): void {
    setText(byId("note"), this.clock.held ? "Computing what comes…" : this.noted);
  }

  private changed(): void {
    if (!this.loaded) return;
    this.charts.show({ track: this.track, others: beside(this), ahead: this.ahead });
    for (const part of this.parts) part.changed?.();
    this.refresh();
  }

  refresh(): void {
    this.lastRedraw = -Infinity;
    this.askFrame();
  }

  private askFrame(): void {
    if (this.frameAsked) return;
    this.frameAsked = true;
    requestAnimationFrame((now) => this.frame(now / 1000));
  }

  private frame(now: number): void {
    this.frameAsked = false;
    if (!this.loaded) return;
    const seconds = this.lastFrame > 0 ? now - this.lastFrame : 0;
    const moving = this.clock.moving;
    this.clock.tick(seconds);
    const { time, speed } = this.clock;
    this.circuit.frame(this.track, this.state(), time, speed, moving ? Math.min(seconds, 0.1) : 0, (alarm) => this.priority(alarm));
    if (now - this.lastRedraw >= REDRAW || moving !== this.clock.moving) {
      this.lastRedraw = now;
      this.charts.draw(time);
      for (const part of this.parts) part.moved?.();
      this.tell(now);
    }
    if (this.clock.moving) {
      this.lastFrame = now;
      this.askFrame();
    } else this.lastFrame = 0;
  }

  /** What tests and the server know of the page. */
  private tell(now: number): void {
    const data = document.documentElement.dataset;
    const { time, playing, speed } = this.clock;
    const said: Record<string, string> = { ready: "true", run: String(this.track.run.id), time: time.toFixed(3), playing: String(playing), speed: String(speed), runs: String(this.tracks.size), actions: String(this.track.run.actions.length), held: String(this.clock.held) };
    for (const [name, value] of Object.entries(said)) if (data[name] !== value) data[name] = value;
    if (!this.live) return;
    if (now - this.lastReport >= REPORT) this.report(now);
    else if (this.reportAsked === 0) this.reportAsked = window.setTimeout(() => this.report(performance.now() / 1000), 1000 * REPORT);
  }

  private report(now: number): void {
    window.clearTimeout(this.reportAsked);
    this.reportAsked = 0;
    this.lastReport = now;
    const { time, playing, speed } = this.clock;
    // not answered, so it is not kept among the questions
    this.source.ask({ type: "at", run: this.track.run.id, time, speed: playing ? speed : 0 });
  }

  // Controls

  private wire(): void {
    const { clock, transport, drawer } = this;
    byId("fork").addEventListener("click", () => this.fork());
    byId("save").addEventListener("click", () => this.save());
    byId("large").addEventListener("click", () => {
      const large = document.documentElement.classList.toggle("large");
      setPressed(byId("large"), large);
      this.charts.restyle();
      this.refresh();
    });
    byId("circuit-table").addEventListener("click", () => showTable("The circuit at the clock", ["Part", "Now"], circuitRows(this.track, this.state(), clock.time)));
    const views = [...document.querySelectorAll<HTMLElement>("[data-view]")];
    for (const button of views) {
      button.addEventListener("click", () => {
        byId("stage").dataset["curves"] = button.dataset["view"] ?? "both";
        for (const each of views) setPressed(each, each === button);
        this.refresh();
      });
    }
    window.addEventListener("resize", () => {
      this.charts.restyle();
      this.refresh();
    });
    window.setInterval(() => this.remind(), 1000);

    if (!this.live) {
      // in a report the tables stand below the screen
      byId("open-results").addEventListener("click", (event) => {
        event.stopImmediatePropagation();
        byId("report").scrollIntoView();
        byId("report").focus();
      }, { capture: true });
    }

    const all: (Key & { live?: boolean })[] = [
      { keys: [" "], shown: "Space", does: "Play, pause", run: () => this.play(!clock.playing) },
      { keys: ["ArrowRight", "n"], shown: "→ or n", does: "Next event", run: () => transport.step(1) },
      { keys: ["ArrowLeft", "p"], shown: "← or p", does: "Previous event", run: () => transport.step(-1) },
      { keys: ["j"], shown: "j", does: "Next session", run: () => transport.jump() },
      { keys: ["+", "="], shown: "+", does: "Faster", run: () => this.faster(1) },
      { keys: ["-"], shown: "-", does: "Slower", run: () => this.faster(-1) },
      ...SPEEDS.map((speed, place): Key => ({ keys: [String(place + 1)], shown: String(place + 1), does: `Speed ${speed.toLocaleString("en-US")}×`, run: () => this.setSpeed(speed) })),
      { keys: ["a"], shown: "a", does: "Acknowledge the alarms", run: () => this.act({ do: "acknowledge" }), live: true },
      { keys: ["h"], shown: "h", does: "Hold the pumps", run: () => this.act({ do: "hold" }), live: true },
      { keys: ["r"], shown: "r", does: "Resume", run: () => this.act({ do: "resume" }), live: true },
      { keys: ["m"], shown: "m", does: "Mute the alarm tone", run: () => this.panel.toggleMute(), live: true },
      { keys: ["f"], shown: "f", does: "Fork here: the same run again, beside this one", run: () => this.fork(), live: true },
      { keys: ["s"], shown: "s", does: "Save as scenario", run: () => this.save(), live: true },
      { keys: ["i"], shown: "i", does: "Instructor's drawer", run: () => drawer.toggle("instructor"), live: true },
      { keys: ["t"], shown: "t", does: "Lessons", run: () => drawer.toggle("lessons"), live: true },
      { keys: ["l"], shown: "l", does: "Event log", run: () => drawer.toggle("log") },
      { keys: ["b"], shown: "b", does: "Branches", run: () => drawer.toggle("branches") },
      { keys: ["?"], shown: "?", does: "This help", run: () => help(keys) },
    ];
    const keys = all.filter((key) => this.live || key.live !== true);
    listen(keys);
    byId("help-open").addEventListener("click", () => help(keys));
  }

  private faster(by: 1 | -1): void {
    const place = (SPEEDS as readonly number[]).indexOf(this.clock.speed) + by;
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, place))] as number);
  }

  private fork(): void {
    this.ask({ type: "fork", run: this.track.run.id, at: this.clock.time }, "fork here");
  }

  private save(): void {
    this.ask({ type: "save", run: this.track.run.id }, "save as scenario");
  }
}

function letter(place: number): string {
  return place < 26 ? String.fromCharCode(65 + place) : `R${place + 1}`;
}

function nearest(speed: number): number {
  return [...SPEEDS].sort((a, b) => Math.abs(a - speed) - Math.abs(b - speed))[0] as number;
}

function describe(change: Change, offer: Offer): string {
  if ("set" in change) return `${offer.settings.find((each) => each.path === change.set)?.title ?? change.set} ${change.to}`;
  if ("fault" in change) return words(change.fault).toLowerCase();
  if ("do" in change) return words(change.do).toLowerCase();
  return `give ${change.dose} ${change.give}`;
}

function begin(): void {
  setHidden(byId("drawer"), true);
  new Page().start();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
