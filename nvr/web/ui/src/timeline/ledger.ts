/** The ledger's answer with absolute instants, and questions to it. Pure. */

import type { EventId, LedgerAnswer, LedgerCamera } from "../api/types";
import { lastAtOrBefore } from "../ranges";
import { parse, SECOND } from "../time";

export interface Stretch {
  start: number;
  end: number;
  /** It lasts still: its end is only how far it is known. */
  open: boolean;
}

export interface Gap extends Stretch {
  reason: string;
  meaning: string;
  detail: string | null;
}

export interface Off extends Stretch {
  detail: string | null;
}

export interface Mark extends Stretch {
  id: EventId;
  label: string;
  locked: boolean;
}

export interface Row {
  camera: string;
  recorded: Stretch[];
  gaps: Gap[];
  off: Off[];
  events: Mark[];
}

export interface Ledger {
  from: number;
  to: number;
  labels: string[];
  rows: Row[];
}

export const EMPTY: Ledger = { from: 0, to: 0, labels: [], rows: [] };

export function ledgerOf(answer: LedgerAnswer, now: number): Ledger {
  const from = parse(answer.from);
  const to = parse(answer.to);
  const until = Math.min(to, Math.max(now, from));
  const latest = from + latestOf(answer.cameras) * 1000;
  // By the server's clock: what reaches to the end of all that is known lasts still.
  const lasting = to >= now - 5 * SECOND ? latest - 1.5 * SECOND : Infinity;
  return { from, to, labels: answer.labels, rows: answer.cameras.map((camera) => rowOf(camera, answer.labels, from, until, lasting)) };
}

function latestOf(cameras: LedgerCamera[]): number {
  let latest = 0;
  for (const { recorded, gaps, off } of cameras) {
    for (const last of [recorded.at(-1), gaps.at(-1), off.at(-1)]) latest = Math.max(latest, last?.[1] ?? 0);
  }
  return latest;
}

function rowOf(told: LedgerCamera, labels: string[], from: number, until: number, lasting: number): Row {
  const stretch = (start: number, end: number | null): Stretch => {
    const begin = from + start * 1000;
    const stop = end === null ? Math.max(begin, until) : from + end * 1000;
    return { start: begin, end: stop, open: end === null || stop >= lasting };
  };
  const mark = (start: number, end: number | null): Stretch => ({ ...stretch(start, end), open: end === null });
  return {
    camera: told.camera,
    recorded: told.recorded.map(([start, end]) => stretch(start, end)),
    gaps: told.gaps.map(([start, end, reason, meaning, detail]) => ({ ...stretch(start, end), reason, meaning, detail })),
    off: told.off.map(([start, end, detail]) => ({ ...stretch(start, end), detail })),
    events: told.events
      .map(([id, start, end, label, locked]) => ({ ...mark(start, end), id, label: labels[label] ?? "?", locked }))
      .sort((a, b) => a.start - b.start),
  };
}

export function rowFor(ledger: Ledger, camera: string): Row | null {
  return ledger.rows.find((row) => row.camera === camera) ?? null;
}

function holding<T extends Stretch>(items: readonly T[], at: number): T | null {
  const found = items[lastAtOrBefore(items, (item) => item.start, at)];
  return found && at < found.end ? found : null;
}

export function gapAt(row: Row, at: number): Gap | null {
  return holding(row.gaps, at);
}

export function offAt(row: Row, at: number): Off | null {
  return holding(row.off, at);
}

export function recordedAt(row: Row, at: number): Stretch | null {
  return holding(row.recorded, at);
}

/** The events within `slack` of an instant; they may overlap, so all are looked at. */
export function marksNear(row: Row, at: number, slack: number, shown: (label: string) => boolean): Mark[] {
  return row.events.filter((mark) => shown(mark.label) && mark.start - slack <= at && at <= mark.end + slack);
}

/** The event that begins next after (or before) an instant, of these cameras. */
export function neighbour(
  ledger: Ledger, cameras: readonly string[], at: number, step: 1 | -1, shown: (label: string) => boolean,
): Mark | null {
  let best: Mark | null = null;
  for (const row of ledger.rows) {
    if (!cameras.includes(row.camera)) continue;
    for (const mark of row.events) {
      // Half a second of tolerance: stepping on from an event must not find the same again.
      if (!shown(mark.label) || (step > 0 ? mark.start <= at + 500 : mark.start >= at - 500)) continue;
      if (!best || (step > 0 ? mark.start < best.start : mark.start > best.start)) best = mark;
    }
  }
  return best;
}
