/** The filter of the gallery, as it is in the address and in the request. */

import { dayOf, dayText, nextDay, parse, rfc3339 } from "../time";
import type { NvrEvent } from "../api/types";

export interface Filter {
  camera: string[];
  label: string[];
  kind: string;
  zone: string;
  /** Days, `2026-11-28`; both are part of it. */
  from: string;
  to: string;
  locked: boolean;
  false: "" | "true" | "all";
}

export const KINDS = ["object", "motion", "camera", "health"];

export function filterOf(query: URLSearchParams): Filter {
  const told = query.get("false");
  return {
    camera: query.getAll("camera"),
    label: query.getAll("label"),
    kind: query.get("kind") ?? "",
    zone: query.get("zone") ?? "",
    from: query.get("from") ?? "",
    to: query.get("to") ?? "",
    locked: query.get("locked") === "true",
    false: told === "true" || told === "all" ? told : "",
  };
}

export function addressOf(filter: Filter): Record<string, string | string[]> {
  return { ...filter, locked: filter.locked ? "true" : "" };
}

/** Days become instants here: the server knows no time zone of this browser. */
export function requestOf(filter: Filter): Record<string, string | string[] | null> {
  const from = dayOf(filter.from);
  const to = dayOf(filter.to);
  return {
    camera: filter.camera,
    label: filter.label,
    kind: filter.kind || null,
    zone: filter.zone || null,
    // Without a begin the server would tell the last days only.
    from: Number.isNaN(from) ? "3650d" : rfc3339(from),
    to: Number.isNaN(to) ? null : rfc3339(nextDay(to)),
    locked: filter.locked ? "true" : null,
    false: filter.false || null,
  };
}

/** Whether an event that was just told belongs to what is shown. */
export function fits(filter: Filter, event: NvrEvent): boolean {
  const day = dayText(parse(event.start));
  if (filter.camera.length && !filter.camera.includes(event.camera)) return false;
  if (filter.label.length && !filter.label.includes(event.label)) return false;
  if (filter.kind && filter.kind !== event.kind) return false;
  if (filter.zone && !event.zones.includes(filter.zone)) return false;
  if ((filter.from && day < filter.from) || (filter.to && day > filter.to)) return false;
  if (filter.locked && !event.locked) return false;
  return filter.false === "all" || event.false === (filter.false === "true");
}
