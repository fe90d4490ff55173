/**
 * The curves. All runs that are drawn share one grid of times per figure, made when runs or the
 * session change; a redraw cuts it at the clock. At most ten redraws a second: the circuit moves in between.
 */

import uPlot from "uplot";

import { byId, el, setHidden, setText } from "./dom.js";
import { DAY, fixed, level, tick } from "./format.js";
import { after, pools, type Session, type Track } from "./track.js";

export interface View {
  track: Track;
  /** Other runs that are drawn, pale and dashed. */
  others: Track[];
  /** Whether what comes is drawn too. */
  ahead: boolean;
}

interface Curve {
  label: string;
  column: string;
  color: string; // name of a custom property
  dash: number[];
}

interface Line {
  curve: Curve;
  track: Track;
  role: "past" | "ahead" | "other";
  base: number;
  full: (number | null)[];
}

const MINUTES = 30; // around a session

abstract class Figure {
  readonly node: HTMLElement;
  protected readonly heading: HTMLElement;
  private readonly legend: HTMLElement;
  private readonly place: HTMLElement;
  private plot: uPlot | null = null;
  private grid: number[] = [];
  private x: number[] = [];
  private lines: Line[] = [];
  private readouts: [HTMLElement, Line][] = [];
  protected view: View | null = null;
  private time = 0;
  private drawn = "";
  private spanned = "";
  private high: [number, number] = [0, 1];

  constructor(readonly id: string, private readonly group: string, tables: (figure: Figure) => void) {
    this.heading = el("span", { class: "heading" });
    this.legend = el("span", { class: "legend" });
    this.place = el("div", { class: "plot", "aria-hidden": "true" });
    const button = el("button", { type: "button", class: "quiet", onclick: () => tables(this) }, "Table");
    this.node = el("figure", { id, class: "chart" }, el("figcaption", {}, this.heading, this.legend, button), this.place);
    this.button = button;
    new ResizeObserver(() => this.resize()).observe(this.place);
  }

  protected readonly button: HTMLButtonElement;

  abstract title(): string;
  /** What the caption says; where a solute is chosen, that choice is part of it. */
  protected wording(): string {
    return this.title();
  }
  abstract unit(): string;
  abstract axis(): string;
  protected abstract curves(): Curve[];
  /** First and last time of the axis, in minutes of the run. */
  protected abstract span(): [number, number];
  /** Where the axis is zero, and how many minutes its unit has. */
  protected abstract scale(): [number, number];
  protected base(_column: string, _track: Track): number {
    return 0;
  }
  protected lowest(): number | null {
    return null;
  }

  show(view: View): void {
    this.view = view;
    this.drawn = "";
  }

  /** Draw up to the clock. */
  draw(time: number): void {
    if (this.view === null || this.place.clientWidth === 0) return;
    this.time = time;
    const key = this.key();
    const span = this.span().join();
    if (key !== this.drawn) {
      this.drawn = key;
      this.build();
    } else if (span !== this.spanned) this.fill();
    this.spanned = span;
    this.plot?.setData(this.cut(time));
    if (this.plot !== null && this.plot.cursor.idx == null) this.read(null);
  }

  /** What makes it necessary to begin anew. */
  protected key(): string {
    const view = this.view as View;
    return [view.track.run.id, view.others.map((each) => each.run.id).join(), view.ahead, this.curves().map((curve) => curve.column).join()].join("|");
  }

  /** Colors or sizes of text have changed. */
  restyle(): void {
    this.drawn = "";
  }

  private resize(): void {
    if (this.plot === null) {
      if (this.view !== null) this.draw(this.time);
      return;
    }
    const { clientWidth: width, clientHeight: height } = this.place;
    if (width > 0 && height > 0 && (width !== this.plot.width || height !== this.plot.height)) this.plot.setSize({ width, height });
  }

  private build(): void {
    const view = this.view as View;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const rem = parseFloat(style.fontSize);
    this.plot?.destroy();
    this.plot = null;

    this.lines = [];
    const curves = this.curves().filter((curve) => view.track.has(curve.column));
    const add = (curve: Curve, track: Track, role: Line["role"]): void => {
      this.lines.push({ curve, track, role, base: 0, full: [] });
    };
    for (const track of view.others) for (const curve of curves) if (track.has(curve.column)) add(curve, track, "other");
    if (view.ahead) for (const curve of curves) add(curve, view.track, "ahead");
    for (const curve of curves) add(curve, view.track, "past");
    this.fill();

    const font = `${Math.round(rem * 0.82)}px ${style.fontFamily}`;
    const thick = Math.max(2, rem / 7);
    const axis = { stroke: color("--ink"), font, gap: 4, grid: { stroke: color("--rule"), width: 1 }, ticks: { stroke: color("--rule"), width: 1, size: 4 } };
    const options: uPlot.Options = {
      width: this.place.clientWidth,
      height: Math.max(40, this.place.clientHeight),
      padding: [Math.round(rem * 0.45), Math.round(rem * 1.3), 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, sync: { key: this.group }, points: { size: 7 } },
      scales: { x: { time: false, range: () => this.wide() }, y: { range: () => this.high } },
      axes: [
        { ...axis, size: rem * 1.3, space: rem * 3.2, values: (_u, splits) => splits.map((value, place) => `${tick(value)}${place === splits.length - 1 ? (this.scale()[1] === 1 ? " min" : " d") : ""}`) },
        { ...axis, size: rem * 3.4, space: rem * 1.6, values: (_u, splits) => splits.map((value) => tick(value)) },
      ],
      series: [
        {},
        ...this.lines.map(({ curve, role }): uPlot.Series => ({
          label: curve.label,
          stroke: role === "past" ? color(curve.color) : color(`${curve.color}-pale`),
          width: role === "past" ? thick : thick * 0.75,
          dash: role === "other" ? [2 * thick, 2 * thick] : curve.dash.map((part) => part * thick),
          points: { show: false },
          spanGaps: false,
        })),
      ],
      hooks: {
        setCursor: [(plot) => this.read(plot.cursor.idx ?? null)],
        draw: [(plot) => this.mark(plot, color("--ink"))],
      },
    };
    this.plot = new uPlot(options, this.cut(this.time), this.place);
    setText(this.heading, this.wording());
    this.button.setAttribute("aria-label", `Table of ${this.title()}`);
    this.caption(curves);
  }

  private wide(): [number, number] {
    const [from, to] = this.span();
    const [zero, minutes] = this.scale();
    return [(from - zero) / minutes, (to - zero) / minutes];
  }

  /** The values on the grid of this span; another session needs no other plot. */
  private fill(): void {
    const view = this.view as View;
    const [from, to] = this.span();
    const [zero, minutes] = this.scale();
    this.grid = gridOf([view.track, ...view.others], from, to);
    this.x = this.grid.map((time) => (time - zero) / minutes);
    for (const line of this.lines) {
      line.base = this.base(line.curve.column, line.track);
      line.full = this.grid.map((time, place) => this.at(line.curve.column, line.track, line.base, time, place));
    }
    this.high = this.range();
  }

  private at(column: string, track: Track, base: number, time: number, place: number): number | null {
    const twin = this.grid[place + 1] === time && this.grid[place - 1] !== time;
    const value = track.value(column, time, twin ? "before" : "after");
    return value === null || time > track.end + 1e-6 ? null : value - base;
  }

  private range(): [number, number] {
    let low = this.lowest() ?? Infinity;
    let high = -Infinity;
    for (const line of this.lines) {
      for (const value of line.full) {
        if (value === null) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (!Number.isFinite(high)) return [0, 1];
    const room = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
    return [low === 0 ? 0 : low - room, high + room];
  }

  /** What is known at the clock: all up to it, and the point on it. */
  private cut(time: number): uPlot.AlignedData {
    const view = this.view as View;
    const known = after(this.grid, time);
    const [zero, minutes] = this.scale();
    const [, to] = this.span();
    const here = time <= to && known > 0;
    if (view.ahead) {
      const rest = new Array<null>(this.grid.length - known).fill(null);
      return [this.x, ...this.lines.map((line) => (line.role === "past" ? [...line.full.slice(0, known), ...rest] : line.full))] as uPlot.AlignedData;
    }
    const x = this.x.slice(0, known);
    if (here) x.push((time - zero) / minutes);
    const columns = this.lines.map((line) => {
      const values = line.full.slice(0, known);
      if (here) {
        const value = time > line.track.end ? null : line.track.value(line.curve.column, time);
        values.push(value === null ? null : value - line.base);
      }
      return values;
    });
    return [x, ...columns] as uPlot.AlignedData;
  }

  /** The clock as a line through the figure. */
  private mark(plot: uPlot, color: string): void {
    const [zero, minutes] = this.scale();
    const [from, to] = this.span();
    if (this.time < from || this.time > to) return;
    const x = Math.round(plot.valToPos((this.time - zero) / minutes, "x", true));
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = color;
    ctx.setLineDash([]);
    ctx.globalAlpha = 0.55;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  private caption(curves: Curve[]): void {
    this.legend.replaceChildren();
    this.readouts = [];
    const view = this.view as View;
    for (const curve of curves) {
      const values = el("span", { class: "value" });
      const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      swatch.setAttribute("viewBox", "0 0 22 6");
      swatch.setAttribute("class", "swatch");
      const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
      stroke.setAttribute("d", "M0 3 H22");
      stroke.setAttribute("class", curve.color.slice(2));
      stroke.setAttribute("stroke-dasharray", curve.dash.map((part) => part * 1.6).join(" "));
      swatch.append(stroke);
      swatch.setAttribute("aria-hidden", "true");
      this.legend.append(el("span", { class: "entry" }, swatch, el("span", { class: "label" }, curve.label), values));
      for (const line of this.lines) {
        if (line.curve !== curve || line.role === "ahead") continue;
        const readout = el(line.role === "past" ? "b" : "span", line.role === "past" ? {} : { class: "other", title: line.track.run.label });
        if (line.role === "past") values.prepend(readout);
        else if (view.others.indexOf(line.track) < 2) values.append(readout);
        this.readouts.push([readout, line]);
      }
    }
    setHidden(this.legend, false);
    this.read(null);
  }

  /** Values under the cursor, or at the clock. */
  private read(place: number | null): void {
    const time = place === null ? this.time : Math.min(this.grid[place] ?? this.time, this.ahead() ? Infinity : this.time);
    for (const [node, line] of this.readouts) {
      const value = time > line.track.end + 1e-6 ? null : line.track.value(line.curve.column, time);
      const text = level(value === null ? null : value - line.base);
      setText(node, line.role === "past" ? text : ` ${line.track.letter} ${text}`);
    }
  }

  private ahead(): boolean {
    return this.view?.ahead ?? false;
  }

  /** The figure as rows of a table up to the clock: one for each event and each full step. */
  table(): { caption: string; header: string[]; rows: string[][] } {
    const view = this.view as View;
    const curves = this.curves();
    const [from, to] = this.span();
    const [zero, minutes] = this.scale();
    const until = Math.min(to, view.ahead ? to : this.time, view.track.end);
    const step = minutes === 1 ? 10 : [60, 360, DAY, 7 * DAY].find((each) => (until - from) / each <= 120) ?? 28 * DAY;
    const times = new Set<number>();
    for (let time = from; time <= until; time += step) times.add(time);
    for (const event of view.track.events) if (event.time >= from && event.time <= until && (minutes === 1 || /^(connect|disconnect)$/.test(event.event))) times.add(event.time);
    times.add(until);
    const tracks = [view.track, ...view.others];
    const header = [`Time, ${minutes === 1 ? "min" : "d"}`, ...curves.flatMap((curve) => tracks.map((track) => `${curve.label || (this.title().split(",")[0] as string)}${tracks.length > 1 ? `, ${track.letter}` : ""}, ${track.unit(curve.column) || this.unit()}`))];
    const rows = [...times].filter((time) => time <= until).sort((a, b) => a - b).map((time) => [
      fixed((time - zero) / minutes, minutes === 1 ? 1 : 2),
      ...curves.flatMap((curve) => tracks.map((track) => {
        const value = track.value(curve.column, time);
        return level(value === null ? null : value - this.base(curve.column, track));
      })),
    ]);
    return { caption: this.title(), header, rows };
  }
}

class SessionFigure extends Figure {
  private session: Session | null = null;

  constructor(id: string, private readonly name: string, private readonly units: string, private readonly parts: Curve[], private readonly cumulative: boolean, tables: (figure: Figure) => void) {
    super(id, "session", tables);
  }

  override draw(time: number): void {
    this.session = this.view?.track.sessionAt(time) ?? null;
    super.draw(time);
  }

  override title(): string {
    return `${this.name}, ${this.units}`;
  }
  override unit(): string {
    return this.units;
  }
  override axis(): string {
    return this.session === null ? "minutes" : `minutes of session ${this.session.index}`;
  }
  protected override curves(): Curve[] {
    return this.parts;
  }
  protected override span(): [number, number] {
    if (this.session === null) return [0, MINUTES];
    let last = this.session.connected[1];
    for (const other of this.view?.others ?? []) {
      const same = other.sessions.find((each) => each.index === this.session?.index && Math.abs(each.connected[0] - this.session.connected[0]) < MINUTES);
      if (same !== undefined) last = Math.max(last, same.connected[1]);
    }
    return [this.session.connected[0], last];
  }
  protected override scale(): [number, number] {
    return [this.session?.connected[0] ?? 0, 1];
  }
  protected override base(column: string, track: Track): number {
    return this.cumulative ? (track.value(column, this.session?.connected[0] ?? 0) ?? 0) : 0;
  }
  protected override lowest(): number | null {
    return this.cumulative ? 0 : null;
  }
}

class CourseFigure extends Figure {
  private chosen = "";
  private readonly select: HTMLSelectElement;

  constructor(id: string, private readonly color: string, private readonly rank: number, tables: (figure: Figure) => void, changed: () => void) {
    super(id, "course", tables);
    this.select = el("select", { "aria-label": `Solute of course figure ${rank + 1}`, onchange: () => {
      this.chosen = this.select.value;
      this.restyle();
      changed();
    } });
    this.heading.before(this.select);
  }

  override show(view: View): void {
    const names = view.track.run.solutes.map((each) => each.name);
    const others = names.filter((name) => !view.track.run.shown.includes(name));
    const first = [...view.track.run.shown, ...others][this.rank] ?? "";
    if (!names.includes(this.chosen) || view.track.run.scenario !== this.view?.track.run.scenario) this.chosen = first;
    const now = [...this.select.options].map((option) => option.value).join();
    if (now !== names.join()) this.select.replaceChildren(...names.map((name) => el("option", { value: name }, display(name))));
    this.select.value = this.chosen;
    this.node.toggleAttribute("hidden", this.chosen === "");
    super.show(view);
  }

  override title(): string {
    return `${display(this.chosen)}, ${this.unit()}`;
  }
  protected override wording(): string {
    return this.unit();
  }
  override unit(): string {
    return this.view?.track.run.solutes.find((each) => each.name === this.chosen)?.unit ?? "";
  }
  override axis(): string {
    return "days";
  }
  protected override curves(): Curve[] {
    const [plasma, interstitium] = pools(this.chosen);
    return [
      { label: "plasma", column: plasma, color: this.color, dash: [] },
      { label: "interstitium", column: interstitium, color: this.color, dash: [3, 2] },
    ];
  }
  protected override span(): [number, number] {
    return [0, this.view?.track.run.until ?? DAY];
  }
  protected override scale(): [number, number] {
    return [0, DAY];
  }
  protected override lowest(): number {
    return 0;
  }
}

const ACRONYMS = /^(igg|igm|iga|ige|igg\d|ldl|adamts13)$/;

export function display(solute: string): string {
  if (ACRONYMS.test(solute)) return solute.startsWith("ig") ? `Ig${solute.slice(2).toUpperCase()}` : solute.toUpperCase();
  const text = solute.replace(/^anti-(.+)$/, (_all, rest: string) => `anti-${rest.length <= 6 ? rest.toUpperCase() : rest}`);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export class Charts {
  private readonly session: Figure[];
  private readonly course: Figure[];

  constructor(tables: (figure: Figure) => void, changed: () => void) {
    this.session = [
      new SessionFigure("chart-blood-volume", "Blood volume", "mL", [{ label: "", column: "blood_volume", color: "--c1", dash: [] }], false, tables),
      new SessionFigure("chart-calcium", "Ionized calcium", "mmol/L", [{ label: "", column: "ionized_calcium", color: "--c2", dash: [] }], false, tables),
      new SessionFigure("chart-volumes", "Volumes", "mL", [
        { label: "blood", column: "blood_processed", color: "--c2", dash: [] },
        { label: "AC", column: "anticoagulant", color: "--c4", dash: [4, 1.5, 1, 1.5] },
        { label: "plasma", column: "plasma_removed", color: "--c1", dash: [5, 2] },
        { label: "treated", column: "plasma_treated", color: "--c1", dash: [7, 1.5] },
        { label: "fluid", column: "replacement", color: "--c3", dash: [1.2, 1.4] },
      ], true, tables),
    ];
    this.course = [0, 1, 2].map((place) => new CourseFigure(`chart-course-${place + 1}`, ["--c2", "--c1", "--c3"][place] as string, place, tables, changed));
    byId("curves-session").append(...this.session.map((figure) => figure.node));
    byId("curves-course").append(...this.course.map((figure) => figure.node));
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.restyle();
      changed();
    });
  }

  private get all(): Figure[] {
    return [...this.session, ...this.course];
  }

  restyle(): void {
    for (const figure of this.all) figure.restyle();
  }

  show(view: View): void {
    for (const figure of this.all) figure.show(view);
  }

  draw(time: number): void {
    for (const figure of this.all) figure.draw(time);
  }
}

export type { Figure };

/** All times of the tracks between two moments, each as often as the track that has it most often. */
function gridOf(tracks: Track[], from: number, to: number): number[] {
  let grid: number[] = [];
  for (const track of tracks) {
    const times = track.times;
    const merged: number[] = [];
    let here = 0;
    let place = after(times, from - 1e-9);
    const end = after(times, to + 1e-9);
    while (here < grid.length || place < end) {
      const old = here < grid.length ? (grid[here] as number) : Infinity;
      const own = place < end ? (times[place] as number) : Infinity;
      merged.push(Math.min(old, own));
      if (old <= own) here += 1;
      if (own <= old) place += 1;
    }
    grid = merged;
  }
  return grid;
}
