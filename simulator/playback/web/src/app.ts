/** What the parts of the page may know of each other. */

import type { Clock } from "./clock.js";
import type { Change, LessonInfo, MachineState, Offer } from "./protocol.js";
import type { Asked } from "./source.js";
import type { Track } from "./track.js";

export interface App {
  readonly live: boolean;
  readonly clock: Clock;
  readonly track: Track;
  readonly tracks: ReadonlyMap<number, Track>;
  readonly offer: Offer;
  readonly scenarios: readonly { name: string; title: string }[];
  readonly lessons: readonly LessonInfo[];
  readonly ahead: boolean;
  readonly pausesAtAlarms: boolean;
  muted: boolean;

  state(): MachineState;
  priority(alarm: string): "stop" | "caution";
  play(on: boolean): void;
  setSpeed(speed: number): void;
  /** Go to a moment; playing stops there unless `on`. */
  seek(time: number, on?: boolean): void;
  act(change: Change): void;
  /** Ask the server; `what` names it should it fail. */
  ask(request: Asked, what: string): boolean;
  show(track: Track): void;
  setVisible(track: Track, visible: boolean): void;
  setAhead(ahead: boolean): void;
  setPausesAtAlarms(on: boolean): void;
  toast(text: string): void;
  /** Draw everything at the clock again. */
  refresh(): void;
}

/** A part of the page. */
export interface Part {
  /** Another run is shown, or others beside it, or what is offered has changed. */
  changed?(): void;
  /** The clock has moved; at most ten times a second. */
  moved?(): void;
}

/** Other runs that are drawn beside the one that is shown. */
export function beside(app: App): Track[] {
  return [...app.tracks.values()].filter((track) => track !== app.track && track.visible);
}
