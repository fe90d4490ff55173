/** The player: play, speed, steps, the slider with its marks, the clock. */

import type { App, Part } from "./app.js";
import { SPEEDS } from "./clock.js";
import { byId, el, setAttribute, setHidden, setPressed, setText, svg } from "./dom.js";
import { moment } from "./format.js";

export class Transport implements Part {
  private readonly slider = byId<HTMLInputElement>("time");
  private readonly play = byId<HTMLButtonElement>("play");
  private readonly speeds = new Map<number, HTMLButtonElement>();
  private dragging = false;

  constructor(private readonly app: App) {
    for (const speed of SPEEDS) {
      const button = el("button", { type: "button", "aria-pressed": "false", onclick: () => app.setSpeed(speed) }, `${speed.toLocaleString("en-US")}×`);
      this.speeds.set(speed, button);
    }
    byId("speeds").append(...this.speeds.values());
    this.play.addEventListener("click", () => app.play(!app.clock.playing));
    byId("next").addEventListener("click", () => this.step(1));
    byId("previous").addEventListener("click", () => this.step(-1));
    byId("jump").addEventListener("click", () => this.jump());
    byId("skip").addEventListener("click", () => {
      this.jump();
      // the button is about to go: what has the focus must stay
      this.play.focus();
    });
    this.slider.addEventListener("input", () => {
      const last = Number(this.slider.value) >= Number(this.slider.max);
      app.seek(last ? app.track.end : Number(this.slider.value), app.clock.playing);
    });
    for (const [event, dragging] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]] as const) {
      this.slider.addEventListener(event, () => (this.dragging = dragging));
    }
    byId("pause-at-alarms").addEventListener("click", () => app.setPausesAtAlarms(!app.pausesAtAlarms));
  }

  step(direction: 1 | -1): void {
    const { track, clock } = this.app;
    const event = direction > 0 ? track.eventAfter(clock.time) : track.eventBefore(clock.time);
    this.app.seek(event?.time ?? (direction > 0 ? track.end : 0));
  }

  jump(): void {
    const { track, clock } = this.app;
    const next = track.nextSession(clock.time);
    if (next === null) this.app.toast("There is no further session in this run.");
    else this.app.seek(next.connected[0], clock.playing);
  }

  changed(): void {
    const { track } = this.app;
    this.slider.max = String(Math.ceil(track.end));
    const marks = byId("marks");
    marks.replaceChildren();
    // a mark for each session; numbers only where they do not run into each other
    let lettered = -10;
    for (const session of track.sessions) {
      const place = (100 * session.connected[0]) / track.end;
      const width = Math.max(0.25, (100 * (session.connected[1] - session.connected[0])) / track.end);
      marks.append(svg("rect", { x: `${place.toFixed(2)}%`, width: `${Math.min(width, 100 - place).toFixed(2)}%`, y: "58%", height: "42%" }));
      if (place - lettered > 3 && place < 98) {
        const number = svg("text", { x: `${place.toFixed(2)}%`, y: "48%" });
        number.textContent = String(session.index);
        marks.append(number);
        lettered = place;
      }
    }
    setPressed(byId("pause-at-alarms"), this.app.pausesAtAlarms);
  }

  moved(): void {
    const { app } = this;
    const { clock, track } = app;
    const session = track.inSession(clock.time);
    const text = moment(clock.time, session?.index ?? 0, session?.connected[0] ?? 0);
    setText(byId("clock"), text);
    if (!this.dragging) this.slider.value = String(clock.time);
    setAttribute(this.slider, "aria-valuetext", text);
    setText(this.play, clock.playing ? "Pause" : "Play");
    for (const [speed, button] of this.speeds) setPressed(button, speed === clock.speed);
    const idle = app.state().session === 0 && track.nextSession(clock.time) !== null;
    setHidden(byId("skip"), !idle);
  }
}
