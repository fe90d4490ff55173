/** Runs beside each other: which is shown, which are drawn, and how they differ at the clock. */

import { beside, type App, type Part } from "./app.js";
import { byId, el, setText } from "./dom.js";
import { level } from "./format.js";
import { display } from "./charts.js";
import { pools, type Track } from "./track.js";

export class Branches implements Part {
  private readonly list = el("ul", { class: "branches" });
  private readonly differences = el("div", { class: "scrolls differences", tabindex: 0, role: "region", "aria-label": "Runs at the clock" });
  private key = "";

  constructor(private readonly app: App) {
    byId("drawer-branches").append(
      el("p", { class: "hint" }, "Go back, change one thing, and both futures are drawn over each other, with the same luck."),
      this.list,
      el("h3", {}, "At the clock"),
      this.differences,
    );
  }

  changed(): void {
    const { app } = this;
    const focused = document.activeElement?.id ?? "";
    this.list.replaceChildren(...[...app.tracks.values()].map((track) => this.item(track)));
    if (focused !== "" && document.activeElement === document.body) document.getElementById(focused)?.focus();
    this.key = "";
    setText(byId("open-branches"), app.tracks.size > 1 ? `Branches (${app.tracks.size})` : "Branches");
  }

  private item(track: Track): HTMLLIElement {
    const { app } = this;
    const shown = track === app.track;
    const { run } = track;
    const item = el("li", shown ? { class: "shown" } : {},
      el("b", {}, track.letter), " ",
      el("span", { class: "what" }, run.label,
        ...run.actions.slice(-4).map((action) => el("span", { class: "meaning" }, `${action.text}`))),
    );
    const buttons = el("span", { class: "buttons" });
    buttons.append(el("button", { type: "button", id: `show-${run.id}`, "aria-pressed": String(shown), "aria-label": `Show ${track.letter}: ${run.label}`, onclick: () => app.show(track) }, "Show"));
    if (!shown) buttons.append(el("button", { type: "button", id: `draw-${run.id}`, "aria-pressed": String(track.visible), "aria-label": `Draw ${track.letter} beside it`, onclick: () => app.setVisible(track, !track.visible) }, "Draw"));
    item.append(buttons);
    return item;
  }

  moved(): void {
    const { app } = this;
    const others = beside(app);
    const { time } = app.clock;
    const solute = app.track.run.shown[0] ?? "";
    const column = pools(solute)[0];
    const first = others[0];
    const here = app.track.value(column, time);
    setText(byId("compared"), first === undefined || !first.has(column) ? "" : `${display(solute)}: ${app.track.letter} ${level(here)} vs ${first.letter} ${level(first.value(column, time))} ${app.track.unit(column)}`);
    if (byId("drawer-branches").hidden) return;
    const rows: [string, string][] = [["Blood volume", "blood_volume"], ["Ionized calcium", "ionized_calcium"], ["Plasma removed", "plasma_removed"], ...app.track.run.shown.map((name): [string, string] => [display(name), pools(name)[0]])];
    const tracks = [app.track, ...others];
    const cells = rows.map(([title, name]) => [`${title}, ${app.track.unit(name)}`, ...tracks.map((track) => level(time > track.end ? null : track.value(name, time)))]);
    const key = JSON.stringify([tracks.map((track) => track.letter), cells]);
    if (key === this.key) return;
    this.key = key;
    this.differences.replaceChildren(
      el("table", {},
        el("caption", { class: "unseen" }, "Runs at the clock"),
        el("thead", {}, el("tr", {}, el("td"), ...tracks.map((track) => el("th", { scope: "col" }, track.letter)))),
        el("tbody", {}, ...cells.map((row) => el("tr", {}, ...row.map((text, place) => (place === 0 ? el("th", { scope: "row" }, text) : el("td", {}, text)))))),
      ),
    );
  }
}
