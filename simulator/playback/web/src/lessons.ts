/** Lessons: a question, a prediction, the run, a check, an explanation with its sources. */

import type { App, Part } from "./app.js";
import { byId, el } from "./dom.js";
import type { Lesson, Verdict } from "./protocol.js";

export class Lessons implements Part {
  private listed = "";
  private lesson: Lesson | null = null;
  private readonly list = el("ul", { class: "lessons" });
  private readonly place = el("div", { class: "lesson" });
  private readonly verdict = el("div", { class: "verdict", role: "status" });

  constructor(private readonly app: App) {
    byId("drawer-lessons").append(this.place, this.verdict, this.list);
  }

  changed(): void {
    const key = this.app.lessons.map((lesson) => lesson.name).join();
    if (key === this.listed) return;
    this.listed = key;
    this.list.replaceChildren(...this.app.lessons.map((lesson) => el("li", {},
      el("button", { type: "button", id: `lesson-${lesson.name}`, onclick: () => this.begin(lesson.name) }, lesson.title),
      el("span", { class: "meaning" }, lesson.misconception),
    )));
  }

  private begin(name: string): void {
    this.app.ask({ type: "lesson", name }, "begin the lesson");
  }

  show(lesson: Lesson): void {
    this.lesson = lesson;
    this.verdict.replaceChildren();
    this.list.hidden = true;
    const answer = el("fieldset", {}, el("legend", {}, lesson.ask));
    if (lesson.choices.length > 0) {
      lesson.choices.forEach((choice, place) => answer.append(el("label", { class: "choice-line" }, el("input", { type: "radio", name: "prediction", value: place }), el("span", {}, choice))));
    } else {
      answer.append(el("p", { class: "field" }, el("label", { for: "prediction" }, "Your prediction"), el("input", { type: "number", id: "prediction", step: "any", inputmode: "decimal", autocomplete: "off" }), el("span", { class: "unit" }, lesson.unit)));
    }
    const form = el("form", { class: "stack", onsubmit: (event: Event) => {
      event.preventDefault();
      this.check(form);
    } },
      answer,
      ...(lesson.task === "" ? [el("p", { class: "hint" }, "Predict, play the run, then check.")] : [el("div", { class: "task" }, el("h4", {}, "Your task"), el("p", {}, lesson.task), el("ul", { class: "goals" }, ...lesson.goals.map((goal) => el("li", {}, goal))))]),
      el("span", { class: "buttons" },
        el("button", { type: "submit", id: "check", class: "main" }, "Check"),
        el("button", { type: "button", id: "retry", onclick: () => this.begin(lesson.name) }, "Start again"),
        el("button", { type: "button", id: "lesson-list", onclick: () => this.leave() }, "All lessons"),
      ),
    );
    this.place.replaceChildren(el("h3", { tabindex: -1 }, lesson.title), el("p", {}, lesson.question), form);
    (this.place.firstElementChild as HTMLElement).focus();
  }

  /** Whether this lesson is on the page already. */
  is(lesson: Lesson): boolean {
    return this.lesson?.name === lesson.name;
  }

  leave(focus = true): void {
    this.lesson = null;
    this.place.replaceChildren();
    this.verdict.replaceChildren();
    this.list.hidden = false;
    if (focus) this.list.querySelector("button")?.focus();
  }

  private check(form: HTMLFormElement): void {
    if (this.lesson === null) return;
    const given = new FormData(form).get("prediction");
    const typed = form.querySelector<HTMLInputElement>("#prediction")?.value ?? "";
    const text = typeof given === "string" ? given : typed;
    if (text === "") return this.app.toast("Predict first: choose an answer or type a number.");
    this.app.ask({ type: "judge", prediction: Number(text) }, "check the lesson");
  }

  judged(verdict: Verdict): void {
    const sign = (ok: boolean): HTMLElement => el("span", { class: ok ? "right" : "wrong" }, ok ? "✓ " : "✗ ");
    const lines: Node[] = [];
    if (verdict.predicted_right !== null) lines.push(el("li", {}, sign(verdict.predicted_right), verdict.predicted_right ? "Your prediction is right." : "Your prediction is not right."));
    for (const line of verdict.lines) lines.push(el("li", {}, sign(line.ok), el("span", { class: "unseen" }, line.ok ? "Met: " : "Not met: "), line.text));
    this.verdict.replaceChildren(
      el("h3", {}, verdict.passed ? "✓ Passed" : "✗ Not yet passed"),
      el("p", { class: "truth" }, verdict.truth),
      el("ul", {}, ...lines),
      el("h4", {}, "Why"),
      ...verdict.explanation.split("\n").map((paragraph) => el("p", {}, paragraph)),
      ...(verdict.sources.length === 0 ? [] : [el("h4", {}, "Sources"), el("ul", { class: "sources" }, ...verdict.sources.map((source) => el("li", {}, source)))]),
    );
    // the first prediction is the one that counts, until the lesson begins again
    for (const input of this.place.querySelectorAll("input")) if (!(input instanceof HTMLInputElement) || input.type !== "radio" || !input.checked) input.disabled = true;
    this.verdict.scrollIntoView({ block: "nearest" });
  }
}
