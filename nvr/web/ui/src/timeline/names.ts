/** Which cameras the timeline has rows for, and which of them are watched at first. Pure. */

import type { Route } from "../route";

export const MOST_WATCHED = 4;

/** The configured ones, those of former days that have footage still, and any that was asked for by name. */
export function namesOf(configured: readonly string[], ledger: readonly { camera: string }[], asked: readonly string[]): string[] {
  return [...new Set([...configured, ...ledger.map((row) => row.camera), ...asked])];
}

/** Never another camera than the one asked for: a link may be older than the configuration. */
export function watchedOf(route: Route, configured: readonly string[]): string[] {
  const asked = [...new Set(route.query.getAll("camera"))];
  return (asked.length ? asked : configured.slice(0, 1)).slice(0, MOST_WATCHED);
}
