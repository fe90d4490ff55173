/**
 * The page owns the clock. It goes from event to event so that none is passed over at 10,000×, and
 * stops exactly at one that asks for it.
 */

import type { LogEntry } from "./protocol.js";
import { after, type Track } from "./track.js";

export const SPEEDS = [1, 10, 60, 300, 1000, 10000] as const;

/** A frame that took longer than this (a tab in the background) counts as so long. */
const LONGEST_FRAME = 0.25; // s

export class Clock {
  time = 0;
  playing = false;
  speed = 60;
  /** While an answer is awaited the moment of the change must not run away. */
  held = false;

  /** Which events stop it. */
  stops: (event: LogEntry) => boolean = () => false;
  /** Called for the events that were passed, in order. */
  passed: (events: LogEntry[], stopped: LogEntry | null) => void = () => undefined;
  ended: () => void = () => undefined;

  constructor(public track: Track) {}

  get moving(): boolean {
    return this.playing && !this.held;
  }

  /** Let so many seconds of the wall's clock pass. */
  tick(seconds: number): void {
    if (!this.moving) return;
    const track = this.track;
    let to = this.time + (Math.min(seconds, LONGEST_FRAME) * this.speed) / 60;
    if (to > track.end) to = track.end;
    const first = after(track.eventTimes, this.time);
    let last = after(track.eventTimes, to);
    let stopped: LogEntry | null = null;
    for (let place = first; place < last; place++) {
      const event = track.events[place] as LogEntry;
      if (this.stops(event)) {
        stopped = event;
        to = event.time;
        // what happens at the same instant has happened too
        last = after(track.eventTimes, to);
        break;
      }
    }
    this.time = to;
    if (to > track.furthest) track.furthest = to;
    if (stopped !== null) this.playing = false;
    if (last > first) this.passed(track.events.slice(first, last), stopped);
    if (to >= track.end && this.playing) {
      this.playing = false;
      this.ended();
    }
  }

  /** Go to a moment. What lies between has not been played and is not announced. */
  seek(time: number): void {
    this.time = Math.min(Math.max(0, time), this.track.end);
    if (this.time > this.track.furthest) this.track.furthest = this.time;
  }
}
