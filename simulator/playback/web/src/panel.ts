/** The machine's panel: where the session stands, alarms with their answers, settings. */

import type { App, Part } from "./app.js";
import { byId, el, setAttribute, setHidden, setPressed, setText } from "./dom.js";
import { eventName, fixed, fluid, SUPPLIES, words } from "./format.js";
import type { MachineState, Offer } from "./protocol.js";

const PHASES: Record<MachineState["phase"], string> = {
  none: "Between sessions",
  prime: "Priming",
  connect: "Connecting",
  draw: "Drawing blood",
  exchange: "Exchange",
  return: "Returning blood",
  rinseback: "Rinseback",
  ended: "Ended",
  disconnect: "Disconnecting",
};

/** What stands on the buttons of the operator; anything else that is offered is called by its title. */
const SHORT: Record<string, string> = { acknowledge: "Acknowledge", hold: "Hold", resume: "Resume", "end-session": "End session" };

type Setting = Offer["settings"][number];

class Row {
  readonly node: HTMLFormElement;
  private readonly input: HTMLInputElement | HTMLSelectElement;
  private shown = "";
  private dirty = false;

  constructor(private readonly setting: Setting, app: App) {
    const id = `set-${setting.path.replace(/[._]/g, "-")}`;
    if (setting.choices !== null) {
      this.input = el("select", { id }, ...setting.choices.map((name) => el("option", { value: name }, fluid(name))));
    } else {
      this.input = el("input", { id, type: "number", inputmode: "decimal", autocomplete: "off" });
      // any number may be typed: the server says in words why one is not possible
      this.input.step = "any";
    }
    if (setting.unit !== "") this.input.setAttribute("aria-describedby", `${id}-unit`);
    this.input.addEventListener("input", () => this.touch());
    this.node = el(
      "form",
      {
        class: "setting",
        onsubmit: (event: Event) => {
          event.preventDefault();
          const value = this.input.value.trim();
          if (value === "") app.toast(`${setting.title}: type a number first.`);
          else if (value === this.shown) app.toast(`${setting.title} is ${setting.choices === null ? value : fluid(value)}${setting.unit === "" ? "" : ` ${setting.unit}`} already.`);
          else {
            app.act({ set: setting.path, to: `${value} ${setting.unit}`.trim() });
            this.dirty = false;
            this.node.classList.remove("dirty");
          }
        },
      },
      el("label", { for: id }, setting.title.replace("Inlet : anticoagulant ratio", "Inlet : AC ratio")),
      this.input,
      el("span", { class: "unit", id: `${id}-unit` }, setting.unit),
      el("button", { type: "submit", "aria-label": `Set ${setting.title.toLowerCase()}` }, "Set"),
    );
    if (this.input instanceof HTMLInputElement) {
      this.input.addEventListener("keydown", (event) => {
        const key = (event as KeyboardEvent).key;
        if (key !== "ArrowUp" && key !== "ArrowDown") return;
        event.preventDefault();
        const step = (setting.step ?? 1) * (key === "ArrowUp" ? 1 : -1);
        const next = Math.min(setting.to ?? Infinity, Math.max(setting.from ?? -Infinity, Number(this.input.value) + step));
        this.input.value = String(Number(next.toFixed(6)));
        this.touch();
      });
      this.input.addEventListener("blur", () => {
        if (this.input.value.trim() === "") this.reset();
      });
    }
  }

  private touch(): void {
    this.dirty = this.input.value !== this.shown;
    this.node.classList.toggle("dirty", this.dirty);
  }

  private reset(): void {
    this.dirty = false;
    this.input.value = this.shown;
    this.node.classList.remove("dirty");
  }

  /** What holds now; what somebody is typing is left alone. */
  show(settings: MachineState["settings"]): void {
    // between sessions the last values stay: what is set then holds for the next one
    if (settings === null) return;
    const value = (settings as Record<string, number | string | null>)[this.setting.path] ?? null;
    setHidden(this.node, value === null);
    if (value === null) return;
    const text = typeof value === "number" ? String(Number(value.toFixed(value >= 100 ? 0 : 2))) : value;
    if (text === this.shown) return;
    this.shown = text;
    if (!this.dirty) this.input.value = text;
    else this.touch();
  }

}

export class Panel implements Part {
  private rows: Row[] = [];
  private listed = "";
  private offered: Offer | null = null;
  private latest = -1;
  readonly mute: HTMLButtonElement;

  constructor(private readonly app: App) {
    this.mute = el("button", { type: "button", id: "mute", "aria-pressed": "false", "aria-keyshortcuts": "m", title: "Silences the alarm tone of this page" }, "Mute");
    this.mute.addEventListener("click", () => this.toggleMute());
  }

  toggleMute(): void {
    this.app.muted = !this.app.muted;
    setPressed(this.mute, this.app.muted);
  }

  changed(): void {
    const { app } = this;
    this.latest = -1;
    this.listed = "?";
    if (this.offered === app.offer) return;
    this.offered = app.offer;
    this.rows = app.offer.settings.map((setting) => new Row(setting, app));
    const heading = byId("settings-heading");
    byId("settings").replaceChildren(heading, ...this.rows.map((row) => row.node));
    const known = new Map(app.offer.actions.filter((action) => action.alarm === "").map((action) => [action.name, action.title]));
    if (!known.has("acknowledge")) known.set("acknowledge", "Acknowledge the alarms");
    const order = [...Object.keys(SHORT), ...known.keys()];
    const names = [...known.keys()].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    const keys: Record<string, string> = { acknowledge: "a", hold: "h", resume: "r" };
    const buttons = names.map((name) => el("button", {
      type: "button", id: `do-${name}`, title: known.get(name) as string, ...(keys[name] === undefined ? {} : { "aria-keyshortcuts": keys[name] as string }),
      onclick: () => app.act({ do: name }),
    }, SHORT[name] ?? (known.get(name) as string)));
    buttons.splice(1, 0, this.mute);
    byId("operator").replaceChildren(...buttons);
  }

  moved(): void {
    const { app } = this;
    const state = app.state();
    const { time } = app.clock;
    const session = app.track.inSession(time);
    const stopped = state.stopped_by !== null && state.phase !== "none";
    const minute = session === null ? "" : `minute ${Math.floor(time - session.connected[0] + 1e-6)}`;
    setText(byId("phase"), stopped ? "Stopped" : PHASES[state.phase]);
    setAttribute(byId("phase"), "data-stopped", String(stopped));
    setText(byId("minute"), stopped ? `${PHASES[state.phase].toLowerCase()}, ${minute.replace("minute", "min")}` : minute);
    const dose = state.dose + state.dose_rate * (time - state.time);
    const done = state.target > 0 ? Math.min(1, dose / state.target) : 0;
    const bar = byId<HTMLProgressElement>("dose-bar");
    const share = Number(done.toFixed(3));
    if (bar.value !== share) bar.value = share;
    const treated = app.track.run.device?.treatment != null;
    setText(byId("dose"), state.target > 0 ? `${fixed(dose, 0)} of ${fixed(state.target, 0)} mL ${treated ? "treated" : "removed"}` : "No session");
    const on = state.phase !== "none";
    setText(byId("access-pressure"), on ? fixed(state.access_pressure, 0) : "–");
    setText(byId("return-pressure"), on ? fixed(state.return_pressure, 0) : "–");
    setHidden(byId("transmembrane"), state.transmembrane_pressure === null);
    if (state.transmembrane_pressure !== null) setText(byId("transmembrane-pressure"), fixed(state.transmembrane_pressure, 0));
    const settings = app.track.settingsAt(time);
    for (const row of this.rows) row.show(settings);
    this.alarms(state);
    this.events();
  }

  private alarms(state: MachineState): void {
    const { app } = this;
    const others = state.stopped_by !== null && state.alarms.length === 0 ? state.stopped_by : "";
    const key = `${state.alarms.map((alarm) => `${alarm.name}${alarm.acknowledged}`).join()}|${others}`;
    if (key === this.listed) return;
    this.listed = key;
    const focused = document.activeElement?.id ?? "";
    // what waits for somebody comes first; of those what stops the pumps, and what only tells of it last
    const rank = ({ name, acknowledged }: { name: string; acknowledged: boolean }): number =>
      (acknowledged ? 3 : 0) + (name === "pumps-stopped" ? 2 : app.priority(name) === "stop" ? 0 : 1);
    const alarms = [...state.alarms].sort((a, b) => rank(a) - rank(b));
    const items = alarms.map((alarm) => {
      const known = app.offer.alarms.find((each) => each.name === alarm.name);
      const priority = app.priority(alarm.name);
      const item = el("li", { class: priority },
        el("span", { class: "what" }, el("span", { class: "sign", "aria-hidden": "true" }, priority === "stop" ? "▲ " : "● "), el("b", {}, words(alarm.name)), el("span", { class: "meaning" }, known?.meaning ?? "")),
      );
      const answer = app.offer.actions.find((each) => each.name === known?.action && each.name !== "");
      // an acknowledgment mends nothing: what waits for the class keeps its answer
      const seenTo = alarm.acknowledged && (app.track.run.sees_to === "all" || SUPPLIES.has(alarm.name));
      if (alarm.acknowledged) item.append(el("span", { class: "seen" }, seenTo ? "seen to" : "acknowledged"));
      if (!seenTo && app.live && answer !== undefined) item.append(el("button", { type: "button", id: `do-${answer.name}`, onclick: () => app.act({ do: answer.name }) }, answer.title));
      return item;
    });
    if (others !== "") items.push(el("li", { class: "caution" }, el("span", { class: "what" }, el("b", {}, `Stopped: ${words(others).toLowerCase()}`))));
    byId("alarms").replaceChildren(...items);
    setHidden(byId("no-alarm"), items.length > 0);
    if (focused !== "" && document.activeElement === document.body) document.getElementById(focused)?.focus();
  }

  private events(): void {
    const count = this.app.track.eventCount(this.app.clock.time);
    if (this.app.live || count === this.latest) return;
    this.latest = count;
    const last = this.app.track.events.slice(Math.max(0, count - 6), count).reverse();
    byId("latest-list").replaceChildren(...last.map((event) => el("li", {}, el("b", {}, event.minute === null ? "–" : fixed(event.minute, 0)), ` ${eventName(event.event)}`, el("span", { class: "meaning" }, ` ${event.detail}`))));
  }
}
