/** Small helpers for elements. Nothing here takes HTML: text is set as text, so data cannot become markup. */

export const SVG = "http://www.w3.org/2000/svg";

/** The element of the skeleton with this id; the skeleton and the program are built together. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}

type Attributes = Record<string, string | number | boolean | EventListener>;

/** A new element; attributes that begin with "on" are listeners, `true` is an empty attribute. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

export function svg(tag: string, attributes: Record<string, string | number> = {}): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/** Write only what differs: most frames change nothing, and a write costs a layout. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node: Element, name: string, value: string): void {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function setHidden(node: HTMLElement | SVGElement, hidden: boolean): void {
  if (node.hasAttribute("hidden") !== hidden) node.toggleAttribute("hidden", hidden);
}

export function setPressed(button: Element, pressed: boolean): void {
  setAttribute(button, "aria-pressed", String(pressed));
}

/** A table with a caption; all cells are text. */
export function table(caption: string, header: readonly string[], rows: readonly (readonly string[])[]): HTMLTableElement {
  const head = el("tr", {}, ...header.map((text) => el("th", { scope: "col" }, text)));
  const body = rows.map((row) =>
    el("tr", {}, ...row.map((text, place) => (place === 0 ? el("th", { scope: "row" }, text) : el("td", {}, text)))),
  );
  return el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...body));
}

/** A table in a frame of its own that can be scrolled, with the keyboard too. */
export function framed(caption: string, header: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  return el("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": caption }, table(caption, header, rows));
}
