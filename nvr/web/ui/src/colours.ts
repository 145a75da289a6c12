/** Colours of labels and reasons. A label keeps its colour on every page and in every session. */

const KNOWN: Record<string, string> = {
  person: "#2f7de1",
  car: "#d97706",
  truck: "#b45309",
  bus: "#92400e",
  motorcycle: "#c2570c",
  bicycle: "#0d9488",
  dog: "#9333ea",
  cat: "#c026d3",
  bird: "#4d7c0f",
  motion: "#7a8699",
};
const OTHERS = ["#0891b2", "#65a30d", "#be185d", "#7c3aed", "#0f766e", "#a16207", "#4f46e5", "#dc2626"];

export function labelColour(label: string): string {
  const known = KNOWN[label];
  if (known) return known;
  let hash = 0;
  for (const letter of label) hash = (hash * 31 + letter.codePointAt(0)!) >>> 0;
  return OTHERS[hash % OTHERS.length];
}

export type ReasonClass = "camera" | "disk" | "recorder" | "deleted" | "other";

const CLASSES: Record<string, ReasonClass> = {
  unreachable: "camera", refused: "camera", forbidden: "camera", "not-found": "camera", busy: "camera",
  stalled: "camera", closed: "camera", unusable: "camera", "no-key-frame": "camera", ended: "camera",
  "disk-full": "disk", "disk-error": "disk", "disk-slow": "disk", "volume-missing": "disk", missing: "disk",
  starting: "recorder", crashed: "recorder", killed: "recorder", hung: "recorder", power: "recorder",
  stopped: "recorder", "clock-stepped": "recorder",
  deleted: "deleted",
};

export function reasonClass(reason: string): ReasonClass {
  return CLASSES[reason] ?? "other";
}

export const REASON_COLOURS: Record<ReasonClass, string> = {
  camera: "#d9363e",
  disk: "#b5179e",
  recorder: "#e08a00",
  deleted: "#7c8798",
  other: "#57534e",
};
