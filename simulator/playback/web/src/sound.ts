/** The alarm tone: three pulses for what stops the pumps, one for a caution. Silent until somebody has touched the page. */

const PULSE = 0.16; // s
const GAP = 0.12; // s

export class Sound {
  private context: AudioContext | null = null;

  constructor() {
    const start = (): void => {
      if (this.context === null && typeof AudioContext !== "undefined") this.context = new AudioContext();
    };
    for (const gesture of ["pointerdown", "keydown"] as const) window.addEventListener(gesture, start, { once: true });
  }

  beep(priority: "stop" | "caution"): void {
    const context = this.context;
    if (context === null || context.state === "closed") return;
    const pulses = priority === "stop" ? 3 : 1;
    for (let pulse = 0; pulse < pulses; pulse++) {
      const from = context.currentTime + 0.02 + pulse * (PULSE + GAP);
      const tone = context.createOscillator();
      const loudness = context.createGain();
      tone.frequency.value = priority === "stop" ? 880 : 590;
      // without the ramps each pulse begins and ends with a click
      loudness.gain.setValueAtTime(0, from);
      loudness.gain.linearRampToValueAtTime(0.12, from + 0.02);
      loudness.gain.setValueAtTime(0.12, from + PULSE - 0.03);
      loudness.gain.linearRampToValueAtTime(0, from + PULSE);
      tone.connect(loudness).connect(context.destination);
      tone.start(from);
      tone.stop(from + PULSE);
    }
  }
}
