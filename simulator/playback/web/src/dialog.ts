/** One dialog for help, tables and what was saved. */

import { byId, framed, setText } from "./dom.js";

let dialog: HTMLDialogElement | null = null;

function theDialog(): HTMLDialogElement {
  if (dialog !== null) return dialog;
  const made = byId<HTMLDialogElement>("dialog");
  byId("dialog-close").addEventListener("click", () => made.close());
  // a click on the backdrop is a click on the dialog itself
  made.addEventListener("click", (event) => {
    if (event.target === made) made.close();
  });
  return (dialog = made);
}

export function showDialog(heading: string, ...content: Node[]): void {
  setText(byId("dialog-heading"), heading);
  byId("dialog-body").replaceChildren(...content);
  if (!theDialog().open) theDialog().showModal();
  byId("dialog-body").scrollTop = 0;
}

export function showTable(caption: string, header: string[], rows: string[][]): void {
  showDialog(caption, framed(caption, header, rows));
}

export function dialogOpen(): boolean {
  return dialog?.open ?? false;
}
