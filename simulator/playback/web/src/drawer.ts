/** The drawer at the side, and the buttons that open its parts. */

import { byId, setAttribute, setHidden, setText } from "./dom.js";

export const DRAWERS = { lessons: "Lessons", log: "Event log", branches: "Branches", instructor: "Instructor", results: "Results" } as const;
export type DrawerName = keyof typeof DRAWERS;

export class Drawer {
  open: DrawerName | null = null;
  private readonly node = byId("drawer");

  constructor(private readonly changed: () => void) {
    for (const name of Object.keys(DRAWERS) as DrawerName[]) byId(`open-${name}`).addEventListener("click", () => this.toggle(name));
    byId("drawer-close").addEventListener("click", () => this.close());
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  toggle(name: DrawerName): void {
    if (this.open === name) this.close();
    else this.show(name);
  }

  show(name: DrawerName): void {
    this.open = name;
    this.apply();
    byId("drawer-heading").focus();
  }

  close(): void {
    const was = this.open;
    this.open = null;
    this.apply();
    if (was !== null) byId(`open-${was}`).focus();
  }

  private apply(): void {
    setHidden(this.node, this.open === null);
    setAttribute(byId("stage"), "data-drawer", this.open ?? "");
    if (this.open !== null) setText(byId("drawer-heading"), DRAWERS[this.open]);
    for (const name of Object.keys(DRAWERS) as DrawerName[]) {
      setHidden(byId(`drawer-${name}`), name !== this.open);
      setAttribute(byId(`open-${name}`), "aria-expanded", String(name === this.open));
    }
    this.changed();
  }
}
