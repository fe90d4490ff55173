/**
 * The circuit: one drawing with ids, moved on every frame. What turns and flows is moved by
 * attributes; a text or level is written only when it has changed.
 */

import drawing from "./circuit.svg";
import { byId, setAttribute, setText } from "./dom.js";
import { fixed, flow, fluid } from "./format.js";
import type { Bag, Flows, MachineState } from "./protocol.js";
import type { Track } from "./track.js";

/** Where on the drawing an alarm is shown. */
const PLACES: Record<string, string> = {
  "access-pressure-low": "access",
  "access-not-delivering": "access",
  "return-pressure-high": "return",
  "air-in-return": "return",
  "replacement-empty": "bottle",
  "anticoagulant-empty": "anticoagulant",
  "waste-bag-full": "waste",
  "red-cells-in-plasma": "plasma",
  "blood-leak": "plasma",
};

/** Ends of the lines at the patient, by the kind of access. */
const ENDS = {
  catheter: { draw: "M92 156 Q120 150 150 150 H200", back: "M420 340 H150 Q112 340 112 290 V190 Q112 166 92 166" },
  needles: { draw: "M124 214 Q134 206 134 186 Q134 150 160 150 H200", back: "M420 340 H150 Q120 340 112 366 Q108 374 96 374 H26 Q4 374 4 350 V262 Q4 246 8 240" },
  fistula: { draw: "M122 184 Q136 178 138 166 Q142 150 160 150 H200", back: "M420 340 H160 Q136 340 136 300 V250 Q136 234 126 232" },
};

const DASH = 26; // length of one dash and its gap, as in the style sheet

/** How fast something seems to move: faster for more flow and for more speed, but never a blur. */
export function visible(rate: number, speed: number): number {
  const pace = rate * (0.7 + 0.45 * Math.log10(Math.max(1, speed)));
  return 190 * (1 - Math.exp(-pace / 140));
}

class Moving {
  private offset = 0;
  private readonly dashes: SVGElement;
  private readonly group: SVGElement;

  constructor(id: string) {
    this.group = byId(id) as unknown as SVGElement;
    this.dashes = this.group.querySelector(".dashes") as SVGElement;
  }

  flow(rate: number, speed: number, seconds: number): void {
    setAttribute(this.group, "data-flows", String(rate > 0));
    if (rate > 0 && seconds > 0) {
      this.offset = (this.offset + visible(rate, speed) * seconds) % DASH;
      this.dashes.setAttribute("stroke-dashoffset", (-this.offset).toFixed(1));
    }
  }
}

class Turning {
  private angle = 0;
  private readonly rotor: SVGElement;
  private readonly group: SVGElement;

  constructor(id: string, private readonly direction = 1, selector = ".rotor", private readonly around = "") {
    this.group = byId(id) as unknown as SVGElement;
    this.rotor = this.group.querySelector(selector) ?? this.group;
  }

  turn(rate: number, speed: number, seconds: number): void {
    setAttribute(this.group, "data-turns", String(rate > 0));
    if (rate > 0 && seconds > 0) {
      this.angle = (this.angle + this.direction * visible(rate, speed) * 2.4 * seconds) % 360;
      this.rotor.setAttribute("transform", `rotate(${this.angle.toFixed(1)}${this.around})`);
    }
  }
}

export class Circuit {
  private readonly root: SVGElement;
  private readonly lines: [Moving, (flows: Flows) => number][];
  private readonly pumps: [Turning, (flows: Flows) => number][];
  private readonly spin: Turning;
  private readonly texts = new Map<string, Element>();
  private readonly badges: SVGElement[];
  private readonly still = window.matchMedia("(prefers-reduced-motion: reduce)");
  private kind = "";
  private described = "";

  constructor(place: HTMLElement) {
    const parsed = new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement;
    this.root = document.importNode(parsed, true) as unknown as SVGElement;
    // a line is its wall, what it holds and the dashes in it: three strokes along one path
    for (const tube of this.root.querySelectorAll(".tube")) {
      for (const name of ["dashes", "fluid"]) {
        const stroke = tube.cloneNode() as Element;
        stroke.setAttribute("class", name);
        tube.after(stroke);
      }
    }
    place.append(this.root);
    this.lines = [
      [new Moving("line-draw"), (f) => f.inlet - f.anticoagulant],
      [new Moving("line-inlet"), (f) => f.inlet],
      [new Moving("line-anticoagulant"), (f) => f.anticoagulant],
      [new Moving("line-cells"), (f) => Math.max(0, f.return - f.replacement - f.treated)],
      [new Moving("line-plasma"), (f) => f.plasma],
      [new Moving("line-second"), (f) => f.plasma + f.treated],
      [new Moving("line-discard"), (f) => f.plasma],
      [new Moving("line-treated"), (f) => f.treated],
      [new Moving("line-replacement"), (f) => f.replacement],
      [new Moving("line-return"), (f) => f.return],
      [new Moving("line-calcium"), (f) => f.calcium],
    ];
    this.pumps = [
      [new Turning("pump-inlet"), (f) => f.inlet],
      [new Turning("pump-anticoagulant"), (f) => f.anticoagulant],
      [new Turning("pump-plasma"), (f) => f.plasma + f.treated],
      [new Turning("pump-replacement", -1), (f) => f.replacement],
      [new Turning("pump-return", -1), (f) => f.return],
    ];
    this.spin = new Turning("spin", 1, ".none", " 420 206");
    this.badges = [...this.root.querySelectorAll<SVGElement>(".badge")];
  }

  /** Draw the parts that this run's machine and access have. */
  show(track: Track): void {
    const { device, access } = track.run;
    this.kind = device?.kind ?? "centrifuge";
    for (const kind of ["centrifuge", "membrane", "bowl"]) this.draw(`kind-${kind}`, kind === this.kind);
    const treatment = device?.treatment ?? null;
    for (const part of this.root.querySelectorAll<SVGElement>(".treatment")) {
      const drawn = treatment !== null && (treatment === "fractionator" || !part.classList.contains("fractionator"));
      part.toggleAttribute("hidden", !drawn);
    }
    this.draw("line-plasma", treatment === null);
    this.draw("treatment-fractionator", treatment === "fractionator");
    this.draw("treatment-adsorber", treatment === "adsorber");
    this.write("treatment-name", treatment === "fractionator" ? "2nd filter" : treatment === "adsorber" ? "Column" : "");
    const title = device?.title ?? "No machine";
    this.write("device-name", (title.split(/,| with | \(/)[0] as string).slice(0, 24));
    const ends = ENDS[access?.kind ?? "catheter"];
    for (const kind of Object.keys(ENDS)) this.draw(`access-${kind}`, kind === (access?.kind ?? ""));
    for (const [id, path] of [["line-draw", ends.draw], ["line-return", ends.back]] as const) {
      for (const each of byId(id).querySelectorAll("path")) setAttribute(each, "d", path);
    }
  }

  /** `seconds` of the wall's clock since the last frame; 0 when nothing moves. */
  frame(track: Track, state: MachineState, time: number, speed: number, seconds: number, priority: (alarm: string) => string): void {
    const moved = this.still.matches ? 0 : seconds;
    const flows = state.flows;
    const on = state.phase !== "none";
    for (const [line, rate] of this.lines) line.flow(rate(flows), speed, moved);
    for (const [pump, rate] of this.pumps) pump.turn(rate(flows), speed, moved);
    const turns = this.kind !== "membrane" && on && !["connect", "disconnect", "ended"].includes(state.phase);
    if (this.kind === "centrifuge") this.spin.turn(turns ? 160 : 0, speed, moved);
    setAttribute(this.root, "data-phase", state.phase);
    // before blood is drawn and after it has been rinsed back the set holds saline
    setAttribute(this.root, "data-filled", String(on && track.between("outside", time) >= 1));

    this.write("blood-volume", `Blood ${volume(track.value("blood_volume", time))}`);
    this.write("device-outside", on ? `${fixed(track.between("outside", time), 0)} mL outside` : "");
    this.number("flow-inlet", flows.inlet, on);
    this.number("flow-anticoagulant", flows.anticoagulant, on);
    this.number("flow-plasma", flows.plasma + flows.treated, on);
    this.number("flow-replacement", flows.replacement, on);
    this.number("flow-return", flows.return, on);
    this.write("flow-calcium", on && flows.calcium > 0 ? `Calcium ${fixed(flows.calcium, 2)} mL/min` : "");
    this.write("flow-treated", on ? `treated ${flow(flows.treated)} mL/min` : "");
    this.write("pressure-access", on ? `${fixed(state.access_pressure, 0)} mmHg` : "");
    this.write("pressure-return", on ? `${fixed(state.return_pressure, 0)} mmHg` : "");
    this.draw("line-calcium", on && (flows.calcium > 0 || (state.settings?.["prescription.calcium.rate"] ?? 0) > 0));

    const since = time - state.time;
    this.bag("anticoagulant", state.anticoagulant, flows.anticoagulant * since, 10, 56);
    this.bag("bottle", state.bottle, flows.replacement * since, 206, 84);
    this.bag("waste", state.waste, flows.plasma * since, 208, 104);
    this.separate(on ? track.between("packed", time) : 0);
    this.alarms(state, priority);
    this.describe(track, state, time);
  }

  private separate(packed: number): void {
    const share = Math.min(1, Math.max(0, packed));
    if (this.kind === "centrifuge") {
      const radius = 68 - share * 44;
      this.set("ring-plasma", "r", radius.toFixed(1));
      this.set("ring-buffy", "r", share > 0 ? Math.min(68, radius + 3.5).toFixed(1) : "0");
    } else if (this.kind === "membrane") {
      this.set("membrane-packed", "opacity", share.toFixed(2));
    } else {
      const height = share * 140;
      this.set("bowl-red", "y", (274 - height).toFixed(1));
      this.set("bowl-buffy", "y", (270 - height).toFixed(1));
      this.set("bowl-buffy", "opacity", share > 0 ? "1" : "0");
    }
  }

  private bag(name: string, bag: Bag | null, moved: number, top: number, height: number): void {
    const waste = name === "waste";
    setAttribute(byId(`bag-${name}`), "data-there", String(bag !== null));
    if (bag === null) {
      this.set(`level-${name}`, "height", "0");
      this.write(`left-${name}`, "");
      if (name === "bottle") this.write("name-bottle", "No bottle");
      return;
    }
    const left = Math.min(bag.size, Math.max(0, bag.left - moved));
    const held = waste ? bag.size - left : left;
    const share = bag.size > 0 ? held / bag.size : 0;
    this.set(`level-${name}`, "y", (top + height * (1 - share)).toFixed(1));
    this.set(`level-${name}`, "height", (height * share).toFixed(1));
    this.write(`left-${name}`, volume(held));
    if (!waste) this.write(`name-${name}`, short(fluid(bag.fluid)));
  }

  private alarms(state: MachineState, priority: (alarm: string) => string): void {
    const worst = new Map<string, string>();
    for (const alarm of state.alarms) {
      if (alarm.name === "pumps-stopped") continue;
      const place = PLACES[alarm.name] ?? "device";
      if (worst.get(place) !== "stop") worst.set(place, priority(alarm.name));
    }
    for (const badge of this.badges) {
      setAttribute(badge, "data-alarm", worst.get(badge.dataset["place"] ?? "") ?? "none");
    }
    setAttribute(byId("line-draw"), "data-alarm", worst.get("access") ?? "none");
    setAttribute(byId("line-return"), "data-alarm", worst.get("return") ?? "none");
  }

  /** Words for those who do not see the drawing; they change with the state, not with every sample. */
  private describe(track: Track, state: MachineState, time: number): void {
    const key = `${state.phase} ${state.time} ${track.run.id}`;
    if (key === this.described) return;
    this.described = key;
    setText(byId("circuit-words"), circuitRows(track, state, time).map((row) => row.join(": ")).join("; "));
  }

  private number(id: string, rate: number, on: boolean): void {
    this.write(id, on ? `${flow(rate)} mL/min` : "");
  }

  private node(id: string): Element {
    let node = this.texts.get(id);
    if (node === undefined) this.texts.set(id, (node = byId(id)));
    return node;
  }

  private write(id: string, text: string): void {
    setText(this.node(id), text);
  }

  private set(id: string, name: string, value: string): void {
    setAttribute(this.node(id), name, value);
  }

  private draw(id: string, drawn: boolean): void {
    const node = this.node(id);
    if (node.hasAttribute("hidden") === drawn) node.toggleAttribute("hidden", !drawn);
  }
}

function volume(value: number | null): string {
  return value === null ? "" : `${fixed(value, 0)} mL`;
}

function short(name: string): string {
  return name.length > 17 ? `${name.slice(0, 16)}…` : name;
}

/** The circuit at one moment as rows of a table. */
export function circuitRows(track: Track, state: MachineState, time: number): string[][] {
  if (state.phase === "none") return [["Machine", "between sessions"]];
  const rows: string[][] = [
    ["Machine", track.run.device?.title ?? "none"],
    ["Access", track.run.access?.title ?? "none"],
    ["Phase", state.phase],
  ];
  const named: [keyof Flows, string][] = [
    ["inlet", "Inlet pump"], ["anticoagulant", "Anticoagulant pump"], ["plasma", "Plasma to the waste bag"], ["treated", "Plasma treated and returned"],
    ["replacement", "Replacement pump"], ["return", "Return to the patient"], ["calcium", "Calcium solution"],
  ];
  for (const [key, title] of named) rows.push([title, `${flow(state.flows[key])} mL/min`]);
  const since = time - state.time;
  if (state.bottle !== null) rows.push([`Bottle, ${fluid(state.bottle.fluid)}`, `${fixed(Math.max(0, state.bottle.left - state.flows.replacement * since), 0)} of ${state.bottle.size} mL left`]);
  if (state.anticoagulant !== null) rows.push([`Bag, ${fluid(state.anticoagulant.fluid)}`, `${fixed(Math.max(0, state.anticoagulant.left - state.flows.anticoagulant * since), 0)} of ${state.anticoagulant.size} mL left`]);
  if (state.waste !== null) rows.push(["Waste bag", `room for ${fixed(Math.max(0, state.waste.left - state.flows.plasma * since), 0)} of ${state.waste.size} mL`]);
  rows.push(["Access pressure", `${fixed(state.access_pressure, 0)} mmHg`], ["Return pressure", `${fixed(state.return_pressure, 0)} mmHg`]);
  rows.push(["Blood outside the patient", `${fixed(track.between("outside", time), 0)} mL`]);
  if (state.stopped_by !== null) rows.push(["Stopped by", state.stopped_by.replace(/-/g, " ")]);
  return rows;
}
