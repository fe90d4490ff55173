/**
 * A run made ready for playing: columns by name, states complete, and answers to "what was at this
 * time?" by binary search.
 */

import type { Curves, LogEntry, MachineState, Run } from "./protocol.js";

/** Index of the first of the ascending `times` that is later than `time`. */
export function after(times: ArrayLike<number>, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

const BEFORE_ALL: MachineState = {
  time: 0,
  session: 0,
  phase: "none",
  flows: { inlet: 0, anticoagulant: 0, plasma: 0, replacement: 0, return: 0, calcium: 0, treated: 0 },
  bottle: null,
  anticoagulant: null,
  waste: null,
  outside: 0,
  packed: 0,
  dose: 0,
  target: 0,
  dose_rate: 0,
  settings: null,
  access_pressure: 0,
  return_pressure: 0,
  transmembrane_pressure: null,
  alarms: [],
  stopped_by: null,
};

export type Session = Run["sessions"][number];

export class Track {
  readonly times: Float64Array;
  readonly events: LogEntry[];
  readonly eventTimes: Float64Array;
  /** How far this run has been played: acting before that is going back. */
  furthest = 0;
  /** Name on the page: A is the first run, B the next. */
  letter = "A";
  /** Drawn beside the run that is shown. */
  visible = true;

  private readonly columns = new Map<string, { unit: string; values: Float64Array }>();
  private readonly states: MachineState[] = [];
  private readonly stateTimes: Float64Array;

  constructor(readonly run: Run) {
    const curves: Curves = run.curves;
    this.times = Float64Array.from(curves.time);
    for (const column of curves.columns) {
      const values = Float64Array.from(column.values, (value) => value ?? NaN);
      this.columns.set(column.name, { unit: column.unit, values });
    }
    this.events = [...run.events].sort((a, b) => a.time - b.time);
    this.eventTimes = Float64Array.from(this.events, (event) => event.time);
    let state = BEFORE_ALL;
    for (const change of run.states) {
      state = { ...state, ...change };
      this.states.push(state);
    }
    if (this.states.length === 0) this.states.push(BEFORE_ALL);
    this.stateTimes = Float64Array.from(this.states, (each) => each.time);
  }

  /** When there is no more to play. */
  get end(): number {
    return this.run.impossible?.time ?? this.run.until;
  }

  get sessions(): readonly Session[] {
    return this.run.sessions;
  }

  has(column: string): boolean {
    return this.columns.has(column);
  }

  unit(column: string): string {
    return this.columns.get(column)?.unit ?? "";
  }

  /** The state that holds from a moment on. */
  stateAt(time: number): MachineState {
    return this.states[Math.max(0, after(this.stateTimes, time) - 1)] as MachineState;
  }

  /** The settings that hold, or between sessions those of the next one, or after all those of the last. */
  settingsAt(time: number): MachineState["settings"] {
    const here = Math.max(0, after(this.stateTimes, time) - 1);
    const coming = this.states.slice(here).find((state) => state.settings !== null);
    return (coming ?? this.states.slice(0, here).reverse().find((state) => state.settings !== null))?.settings ?? null;
  }

  /** The state that follows, if it belongs to the same session. */
  private next(time: number): MachineState | null {
    const place = after(this.stateTimes, time);
    const here = this.states[Math.max(0, place - 1)] as MachineState;
    const there = this.states[place];
    return there !== undefined && there.session === here.session ? there : null;
  }

  /** `outside` and `packed` do not follow from the flows: a straight line between two states. */
  between(name: "outside" | "packed", time: number): number {
    const here = this.stateAt(time);
    const there = this.next(time);
    if (there === null || there.time <= here.time) return here[name];
    const share = (time - here.time) / (there.time - here.time);
    return here[name] + (there[name] - here[name]) * Math.min(1, Math.max(0, share));
  }

  /**
   * A column's value, on the straight line between two rows. An instant may have two rows: `side`
   * says whether the one just before or the one just after is meant.
   */
  value(column: string, time: number, side: "before" | "after" = "after"): number | null {
    const values = this.columns.get(column)?.values;
    if (values === undefined || values.length === 0) return null;
    let right = after(this.times, time);
    if (side === "before") while (right > 0 && (this.times[right - 1] as number) >= time) right -= 1;
    const last = values.length - 1;
    let result: number;
    if (right === 0) result = values[0] as number;
    else if (right > last) result = values[side === "before" ? Math.min(right, last) : last] as number;
    else {
      const t0 = this.times[right - 1] as number;
      const t1 = this.times[right] as number;
      const v0 = values[right - 1] as number;
      const v1 = values[right] as number;
      result = t1 > t0 ? v0 + ((v1 - v0) * (time - t0)) / (t1 - t0) : v1;
    }
    return Number.isNaN(result) ? null : result;
  }

  /** The session that is on, or the last one that began. The first before any has begun. */
  sessionAt(time: number): Session | null {
    let found = this.sessions[0] ?? null;
    for (const session of this.sessions) if (session.connected[0] <= time + 1e-9) found = session;
    return found;
  }

  /** The session that is on: its index and start, or 0 between sessions. */
  inSession(time: number): Session | null {
    const index = this.stateAt(time).session;
    return index === 0 ? null : (this.sessions.find((each) => each.index === index) ?? null);
  }

  nextSession(time: number): Session | null {
    return this.sessions.find((each) => each.connected[0] > time + 1e-6) ?? null;
  }

  eventAfter(time: number): LogEntry | null {
    return this.events[after(this.eventTimes, time + 1e-9)] ?? null;
  }

  eventBefore(time: number): LogEntry | null {
    let place = after(this.eventTimes, time) - 1;
    while (place >= 0 && (this.eventTimes[place] as number) >= time - 1e-9) place -= 1;
    return this.events[place] ?? null;
  }

  /** How many events have happened up to a moment. */
  eventCount(time: number): number {
    return after(this.eventTimes, time);
  }
}

/** Column names of a solute's two pools. */
export function pools(solute: string): [string, string] {
  const base = solute.replace(/-/g, "_");
  return [`${base}_plasma`, `${base}_interstitial`];
}
