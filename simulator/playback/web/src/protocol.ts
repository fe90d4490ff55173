/**
 * What the program tells the page, and what the page may ask of it.
 *
 * A run is computed whole, from its scenario, and then played: until somebody changes something the
 * future is known. A change is an event of the scenario at the moment on the page's clock; with it
 * the run is computed anew from its start, and what was before that moment comes out the same.
 * So the page needs one thing, a `Run`, from either of two sources: embedded in a report (no
 * server), or over the socket, where every change is answered with a new one.
 *
 * Times are minutes from the start of the run; volumes mL, flows mL/min, pressures mmHg.
 */

/** A column of the curves; `values` has one number for each of `Curves.time`. */
export interface Column {
  name: string; // "ionized_calcium", "igg_plasma", "igg_interstitial"
  unit: string; // "mmol/L", "" for a ratio
  values: (number | null)[];
}

export interface Curves {
  /** Ascending; an instant at which something changed stands twice: just before, just after. */
  time: number[];
  session: number[]; // the session that is on at that time, 0 between sessions
  columns: Column[]; // all of curves.csv but time and session
}

/** Something that happened: the log. `event` is a word such as "alarm:access-pressure-low",
 * "operator:hang-a-bottle", "set", "fault", "reaction:paresthesia", "target-reached", "warning". */
export interface LogEntry {
  time: number;
  session: number; // 0 between sessions
  minute: number | null; // from first contact, null between sessions
  event: string;
  detail: string;
}

export interface Flows {
  inlet: number; // drawn from the patient, anticoagulant included
  anticoagulant: number;
  plasma: number; // to the waste bag
  replacement: number;
  return: number; // all that reaches the patient
  calcium: number;
  treated: number; // plasma through a second filter or column, back to the patient
}

export interface Bag {
  fluid: string;
  left: number; // of a waste bag: room left
  size: number;
}

/** An alarm that is on. */
export interface ActiveAlarm {
  name: string;
  acknowledged: boolean;
}

/**
 * The machine from one moment until the next state: pumps run at constant rates, so levels fall or
 * rise in straight lines: `bottle.left - flows.replacement * (t - time)`, and so on.
 *
 * Sent sparse: each state of `Run.states` holds only what differs from the one before (the first
 * holds all). `null` says that there is none (no bottle hanging, no machine between sessions).
 */
export interface MachineState {
  time: number;
  session: number;
  phase: "none" | "prime" | "connect" | "draw" | "exchange" | "return" | "rinseback" | "ended" | "disconnect";
  flows: Flows;
  bottle: Bag | null;
  anticoagulant: Bag | null;
  waste: Bag | null;
  /** These two do not follow from the flows: between two states of a session, draw a straight line. */
  outside: number; // blood in the circuit, mL
  packed: number; // height of the red cells in the separator, 0..1 (interface)
  dose: number; // patient plasma removed (or treated) in this session
  target: number;
  dose_rate: number; // how fast `dose` grows, mL/min
  /** Each in the unit of `Offer.settings`, as it is typed. */
  settings: null | {
    "machine.inlet_flow": number;
    "machine.anticoagulant.ratio": number | null; // null with heparin
    "machine.plasma_flow": number | null; // membranes only
    "prescription.exchange": number; // mL
    "prescription.fluid_balance": number; // %
    "prescription.calcium.rate": number | null; // mL/h of solution, null without calcium
    "prescription.replacement": string | null; // the fluid that hangs
  };
  access_pressure: number;
  return_pressure: number;
  transmembrane_pressure: number | null;
  alarms: ActiveAlarm[];
  stopped_by: string | null; // what keeps the pumps from running
}

/** One line of the session table, already worded. */
export interface Table {
  caption: string;
  header: string[];
  rows: string[][];
}

/** A change that somebody made on the page, in this run. */
export interface Action {
  time: number;
  text: string; // "inlet flow 40 mL/min", "fault access-occlusion"
}

export interface SoluteInfo {
  name: string;
  title: string;
  unit: string;
  initial: number;
}

export interface Run {
  id: number;
  /** The run from which this one was forked, and when. */
  parent: number | null;
  forked_at: number | null;
  label: string;
  scenario: string;
  title: string;
  description: string;
  until: number;
  device: { name: string; title: string; kind: "centrifuge" | "membrane" | "bowl"; treatment: "fractionator" | "adsorber" | null } | null;
  access: { name: string; title: string; kind: "needles" | "catheter" | "fistula" } | null;
  patient: { sex: string; weight: number; height: number; hematocrit: number; blood_volume: number; plasma_volume: number };
  solutes: SoluteInfo[];
  /** Column names of the three solutes to show first: [antibody, "igg", "fibrinogen"]. */
  shown: string[];
  sessions: { index: number; start: number; connected: [number, number]; run: [number | null, number | null]; completed: boolean; stop_reason: string | null }[];
  curves: Curves;
  events: LogEntry[];
  states: (Partial<MachineState> & { time: number })[];
  actions: Action[];
  /** Who sees to alarms: "all" the operator does; "bottles": he changes bottles and bags, the rest waits for the class. */
  sees_to: "all" | "bottles";
  tables: Table[];
  sources: string[];
  /** Why the run could not go on, and when. */
  impossible: { time: number; message: string } | null;
}

/** What can be done from the page. */
export interface Offer {
  /** Settings that staff can change, in the words of the scenario. */
  settings: { path: string; title: string; unit: string; choices: string[] | null; from: number | null; to: number | null; step: number | null }[];
  /** Faults of the machine and reactions of the patient, for the instructor. */
  faults: { name: string; title: string; meaning: string; of: "machine" | "patient" }[];
  /** What an operator can do; `alarm` is the one that it answers, "" for hold, resume, end-session. */
  actions: { name: string; title: string; alarm: string }[];
  alarms: { name: string; meaning: string; priority: "stop" | "caution"; action: string }[];
  /** Patient events for the instructor: drugs and fluids that can be given, in which unit. */
  fluids: { name: string; title: string; unit: string }[];
}

export interface LessonInfo { name: string; title: string; misconception: string }

/** A lesson as it is asked; what is right is told only by a `Verdict`. */
export interface Lesson extends LessonInfo {
  question: string;
  ask: string;
  choices: string[]; // empty when a number is asked for
  unit: string; // of that number
  task: string; // "" without one
  goals: string[]; // what is looked at when the lesson is checked
}

export interface Verdict {
  passed: boolean;
  predicted_right: boolean | null;
  truth: string;
  lines: { ok: boolean; text: string }[];
  explanation: string;
  sources: string[];
}

export type Change =
  | { set: string; to: string } // {"set": "machine.inlet_flow", "to": "40 mL/min"}
  | { fault: string; for?: string } // machine faults and patient reactions by name
  | { do: string } // "acknowledge", "hold", "resume", "end-session", or an alarm's action
  | { give: string; dose: string; over?: string };

/** From the page. `id` is the page's own number of the request; the answer carries it. */
export type Request =
  | { type: "act"; id: number; run: number; at: number; change: Change }
  | { type: "fork"; id: number; run: number; at: number } // the same again, beside it
  | { type: "show"; id: number; run: number }
  | { type: "load"; id: number; scenario: string; sees_to: "all" | "bottles" }
  | { type: "save"; id: number; run: number }
  | { type: "lesson"; id: number; name: string }
  | { type: "judge"; id: number; prediction: number | null } // place of a choice, or a number
  | { type: "at"; id: number; run: number; time: number; speed: number }; // where the page is; not answered

/** To the page. `id` is that of the request that it answers, null if none. `hello` comes twice: with
 * empty lists before the first run, with scenarios and lessons after it. */
export type Message =
  | { type: "hello"; version: string; scenarios: { name: string; title: string }[]; lessons: LessonInfo[]; at: { run: number; time: number; speed: number } | null }
  | { type: "run"; id: number | null; run: Run; offer: Offer } // show this run from now on
  | { type: "other"; id: number | null; run: Run } // keep this one beside it, drawn pale
  | { type: "saved"; id: number; name: string; text: string }
  | { type: "lesson"; id: number | null; lesson: Lesson | null } // null: none is on any more
  | { type: "verdict"; id: number; verdict: Verdict }
  | { type: "refused"; id: number | null; message: string };

/** What a report embeds, as JSON in <script type="application/json" id="embedded">. */
export interface Embedded {
  run: Run;
  others: Run[];
  /** What could have been done, for the meanings of alarms and the names of settings. */
  offer?: Offer;
}
