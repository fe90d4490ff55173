/** Numbers, times and names as people read them. */

export const DAY = 1440;

const grouped = [0, 1, 2, 3].map(
  (digits) => new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);

/** With so many decimals, thousands grouped, a true minus sign. */
export function fixed(value: number, digits: 0 | 1 | 2 | 3): string {
  const text = (grouped[digits] as Intl.NumberFormat).format(value);
  return /^-0[.0]*$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

/** Three significant digits, as many as a curve can be read to. */
export function level(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size < 1e-9) return "0";
  return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function flow(value: number): string {
  return fixed(value, value < 10 && value % 1 !== 0 ? 1 : 0);
}

/** "access-pressure-low" as "Access pressure low". */
export function words(name: string): string {
  const text = name.replace(/-/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function fluid(name: string): string {
  const known: Record<string, string> = { "acd-a": "ACD-A", "albumin-5": "Albumin 5 %", "albumin-4": "Albumin 4 %", "fresh-frozen-plasma": "Fresh frozen plasma" };
  return known[name] ?? words(name).replace(/ (\d+)$/, " $1 %");
}

/** "Day 2, session 2, minute 37": where a moment is in the course. */
export function moment(time: number, session: number, start: number): string {
  const day = `Day ${Math.floor(time / DAY + 1e-9)}`;
  if (session > 0) return `${day} · Session ${session} · Minute ${Math.floor(time - start + 1e-6)}`;
  const hour = Math.floor((time % DAY) / 60 + 1e-9);
  const minute = Math.floor((time % 60) + 1e-6);
  return `${day} · ${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")} h · Between sessions`;
}

const KINDS: Record<string, string> = { alarm: "Alarm", operator: "Operator", reaction: "Patient", fault: "Fault", set: "Change" };

/** An event's name as words: "alarm:access-pressure-low" as "Alarm: access pressure low". */
export function eventName(event: string): string {
  const colon = event.indexOf(":");
  if (colon < 0) return words(event);
  const kind = event.slice(0, colon);
  return `${KINDS[kind] ?? words(kind)}: ${event.slice(colon + 1).replace(/-/g, " ")}`;
}

/** A number on an axis: no digits that it does not need. */
export function tick(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 6 }).replace("-", "−");
}

/** Alarms that a new bottle or bag answers: daily work of the operator. */
export const SUPPLIES = new Set(["replacement-empty", "anticoagulant-empty", "waste-bag-full"]);
