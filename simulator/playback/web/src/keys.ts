/** Keys for all that is done often. They are silent while somebody types, and can be switched off. */

import { dialogOpen, showDialog } from "./dialog.js";
import { el, framed } from "./dom.js";

export interface Key {
  keys: string[];
  shown: string;
  does: string;
  run: () => void;
}

let on = true;

export function listen(keys: Key[]): void {
  window.addEventListener("keydown", (event) => {
    if (!on || event.ctrlKey || event.metaKey || event.altKey || dialogOpen()) return;
    const target = event.target as HTMLElement;
    if (target.matches("input:not([type=radio]):not([type=checkbox]), select, textarea") && !(target.id === "time" && !event.key.startsWith("Arrow"))) return;
    // space presses the button that has the focus
    if (event.key === " " && target.matches("button, summary, input, a")) return;
    if (event.key.startsWith("Arrow") && target.matches("input")) return;
    const key = keys.find((each) => each.keys.includes(event.key));
    if (key === undefined) return;
    event.preventDefault();
    key.run();
  });
}

export function help(keys: Key[]): void {
  const box = el("input", { type: "checkbox", id: "keys-on" });
  box.checked = on;
  box.addEventListener("change", () => (on = box.checked));
  showDialog(
    "Help",
    el("p", {}, "The run is known from its start until somebody changes something. The player moves through it; a change at the clock makes a new future. Going back and changing something keeps both."),
    el("label", { class: "choice-line" }, box, el("span", {}, "Single keys do what the table says")),
    framed("Keys", ["Key", "What it does"], keys.map((key) => [key.shown, key.does])),
  );
}
