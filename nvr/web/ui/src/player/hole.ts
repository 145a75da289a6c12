/** A span of one camera without video, and how it is explained. */

import { why } from "../api/calls";
import { t } from "../i18n";
import { HOUR, parse, rfc3339 } from "../time";

export interface Hole {
  start: number;
  /** Where video begins again; null where none is known. */
  end: number | null;
  reason: string | null;
  meaning: string | null;
  detail: string | null;
  /** Recording goes on and has only not come so far. */
  live: boolean;
  /** Whether its reason was asked for, with or without success. */
  told: boolean;
}

/** A hole that was jumped over. */
export interface Skip {
  camera: string;
  hole: Hole;
  /** Where the player was. */
  from: number;
  when: number;
}

/** Answers from memory where it can; null where it does not know. */
export type Explain = (camera: string, at: number) => Hole | null;

export function hole(start: number, end: number | null): Hole {
  return { start, end, reason: null, meaning: null, detail: null, live: false, told: false };
}

export async function explained(camera: string, found: Hole, explain: Explain): Promise<Hole> {
  const known = explain(camera, found.start) ?? (await asked(camera, found.start));
  if (!known) return { ...found, told: true };
  // Its end stays: behind the gap there may be another, and only the server's "next" is where video begins again.
  return { ...found, ...known, start: Math.min(found.start, known.start), end: found.end, live: found.live, told: true };
}

async function asked(camera: string, at: number): Promise<Hole | null> {
  try {
    const told = await why(camera, rfc3339(at));
    if (told.kind === "recorded" || told.kind === "to come") return null;
    return {
      start: told.start ? parse(told.start) : at,
      end: told.end ? parse(told.end) : null,
      reason: told.reason, meaning: told.meaning ?? (told.kind === "not scheduled" ? t("tl.off") : null), detail: told.detail, live: false, told: true,
    };
  } catch {
    return null; // The hole is told without its reason.
  }
}

/** Browsers round where a video is: a jump to a hole's end must not land before it. */
const EDGE = 5;

/** The hole that an instant is in. */
export function holeAt(holes: readonly Hole[], at: number): Hole | null {
  return holes.find((one) => one.start <= at && (one.end === null || at < one.end - EDGE)) ?? null;
}

/** Origins are hours, so that neighbouring seeks share one time line and times stay small numbers. */
export function originFor(at: number): number {
  return Math.floor(at / HOUR) * HOUR - HOUR;
}

/** Whether an instant can be shown on the time line of an origin: a key frame before it must fit as well. */
export function onTimeline(origin: number, at: number): boolean {
  return at >= origin + HOUR / 6 && at < origin + 12 * HOUR;
}
