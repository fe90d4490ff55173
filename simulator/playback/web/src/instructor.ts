/** The instructor's drawer: faults of the machine, reactions of the patient, scenarios. */

import type { App, Part } from "./app.js";
import { byId, el, setPressed } from "./dom.js";
import type { Offer } from "./protocol.js";

export class Instructor implements Part {
  private offered: Offer | null = null;
  private named = "";
  private current = "";
  private readonly duration = el("input", { id: "fault-for", type: "number", min: 0, step: "any", inputmode: "decimal", autocomplete: "off" });
  private readonly faults = el("div");
  private readonly fluid = el("select", { id: "give-fluid", onchange: () => this.tellUnit() });
  private readonly givenUnit = el("span", { class: "unit", id: "give-unit" }, "mL");
  private readonly scenario = el("select", { id: "scenario" });
  private readonly ahead: HTMLButtonElement;
  private readonly who: HTMLInputElement[] = [];

  constructor(private readonly app: App) {
    const dose = el("input", { id: "give-dose", type: "number", min: 1, step: "any", value: 250, inputmode: "decimal", autocomplete: "off" });
    const over = el("input", { id: "give-over", type: "number", min: 0, step: "any", inputmode: "decimal", autocomplete: "off" });
    this.ahead = el("button", { type: "button", id: "ahead", "aria-pressed": "false", onclick: () => app.setAhead(!app.ahead) }, "Show what comes");
    const sees = (value: "all" | "bottles", text: string): HTMLLabelElement => {
      const input = el("input", { type: "radio", name: "sees-to", value });
      this.who.push(input);
      return el("label", { class: "choice-line" }, input, el("span", {}, text));
    };
    byId("drawer-instructor").append(
      el("h3", {}, "Scenario"),
      el("form", { class: "stack", onsubmit: (event: Event) => {
        event.preventDefault();
        const sees_to = this.who.find((each) => each.checked)?.value === "all" ? "all" : "bottles";
        app.ask({ type: "load", scenario: this.scenario.value, sees_to }, "load the scenario");
      } },
        el("p", { class: "field" }, el("label", { for: "scenario" }, "Scenario"), this.scenario),
        el("fieldset", {}, el("legend", {}, "Who sees to alarms"), sees("bottles", "The operator changes bottles and bags; all else waits for the class"), sees("all", "The operator sees to all")),
        el("button", { type: "submit", id: "load" }, "Load from the start"),
      ),
      el("p", {}, this.ahead),
      el("h3", {}, "Faults and reactions"),
      el("p", { class: "field" }, el("label", { for: "fault-for" }, "Lasting (empty: until mended)"), this.duration, el("span", { class: "unit" }, "min")),
      this.faults,
      el("h3", {}, "Give by hand"),
      el("form", { class: "stack", onsubmit: (event: Event) => {
        event.preventDefault();
        if (!(Number(dose.value) > 0)) return app.toast(`How much is to be given? Type a number of ${this.givenUnit.textContent}.`);
        app.act({ give: this.fluid.value, dose: `${dose.value} ${this.givenUnit.textContent}`, ...(Number(over.value) > 0 ? { over: `${over.value} min` } : {}) });
      } },
        el("p", { class: "field" }, el("label", { for: "give-fluid" }, "What"), this.fluid),
        el("p", { class: "field" }, el("label", { for: "give-dose" }, "Dose"), dose, this.givenUnit),
        el("p", { class: "field" }, el("label", { for: "give-over" }, "Over (empty: at once)"), over, el("span", { class: "unit" }, "min")),
        el("button", { type: "submit", id: "give" }, "Give"),
      ),
    );
  }

  changed(): void {
    const { app } = this;
    setPressed(this.ahead, app.ahead);
    for (const each of this.who) each.checked = each.value === app.track.run.sees_to;
    // what the server does not offer, such as the arm of a lesson, cannot be asked for again
    const names = app.scenarios.map((each) => each.name);
    const listed = names.join() !== this.named;
    if (listed) {
      this.named = names.join();
      this.scenario.replaceChildren(...app.scenarios.map(({ name, title }) => el("option", { value: name }, title)));
    }
    const { scenario } = app.track.run;
    if ((listed || scenario !== this.current) && names.includes(scenario)) this.scenario.value = scenario;
    this.current = scenario;
    if (this.offered === app.offer) return;
    this.offered = app.offer;
    this.fluid.replaceChildren(...app.offer.fluids.map(({ name, title }) => el("option", { value: name }, title)));
    this.tellUnit();
    this.faults.replaceChildren();
    for (const [of, heading] of [["machine", "Machine"], ["patient", "Patient"]] as const) {
      const faults = app.offer.faults.filter((fault) => fault.of === of);
      if (faults.length === 0) continue;
      this.faults.append(el("h4", {}, heading), el("ul", { class: "faults" }, ...faults.map((fault) => el("li", {},
        el("button", { type: "button", id: `fault-${fault.name}`, "aria-describedby": `means-${fault.name}`, onclick: () => this.start(fault.name) }, fault.title),
        el("span", { class: "meaning", id: `means-${fault.name}` }, fault.meaning === fault.title ? "" : fault.meaning),
      ))));
    }
  }

  /** Fluids are given by volume, drugs by mass or units. */
  private tellUnit(): void {
    this.givenUnit.textContent = this.app.offer.fluids.find((each) => each.name === this.fluid.value)?.unit ?? "mL";
  }

  private start(fault: string): void {
    const minutes = Number(this.duration.value);
    this.app.act({ fault, ...(minutes > 0 ? { for: `${this.duration.value} min` } : {}) });
  }
}
