/** Tables and sources: a section of the report, a drawer of the live page once the run has been played. */

import type { App, Part } from "./app.js";
import { byId, el, framed } from "./dom.js";

export class Results implements Part {
  private key = "";

  constructor(private readonly app: App) {}

  changed(): void {
    this.key = "";
    if (!this.app.live) {
      const report = byId("report");
      report.hidden = false;
      report.replaceChildren(...this.content("h2"));
    }
  }

  moved(): void {
    const { app } = this;
    const place = byId("drawer-results");
    if (place.hidden) return;
    const known = !app.live || app.ahead || app.track.furthest >= app.track.end;
    const key = `${app.track.run.id} ${known}`;
    if (key === this.key) return;
    this.key = key;
    if (known) place.replaceChildren(...this.content("h3"));
    else place.replaceChildren(el("p", {}, app.track.run.description), el("p", { class: "hint" }, "Tables are shown when the run has been played to its end, or with “Show what comes” in the instructor's drawer."));
  }

  private content(level: "h2" | "h3"): Node[] {
    const { run } = this.app.track;
    const { patient } = run;
    const parts: Node[] = [
      el(level, {}, run.title),
      el("p", {}, run.description),
      el("p", { class: "hint" }, [
        `${patient.sex}, ${Math.round(patient.weight)} kg, ${Math.round(patient.height * 100)} cm, hematocrit ${Math.round(patient.hematocrit * 100)} %`,
        `blood volume ${Math.round(patient.blood_volume).toLocaleString("en-US")} mL`,
        run.device?.title ?? "", run.access?.title ?? "",
      ].filter((text) => text !== "").join(" · ")),
    ];
    for (const each of run.tables) parts.push(framed(each.caption, each.header, each.rows));
    if (run.sources.length > 0) parts.push(el(level, {}, "Sources"), el("ul", { class: "sources" }, ...run.sources.map((source) => el("li", {}, source))));
    return parts;
  }
}
