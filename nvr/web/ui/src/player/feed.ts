/** What brings one camera's pictures to the player; a video is the usual one, single pictures the way out. */

import type { Hole } from "./hole";

export type Position =
  | { kind: "video" }
  | { kind: "loading" }
  | { kind: "gap"; hole: Hole }
  | { kind: "failed"; error: unknown };

export interface Feed {
  readonly camera: string;
  /** What is (or is not) there at an instant. */
  position(at: number): Position;
  seek(at: number): void;
  /** Fetches ahead where needed; called often. */
  pump(at: number, rate: number): void;
  run(playing: boolean, rate: number): void;
  /** Stays in step with another feed. */
  follow(at: number, rate: number): void;
  now(): number;
  /** The instant of the picture on the screen, where it is known. */
  shown(): number | null;
  frame(): number;
  mute(on: boolean): void;
  retry(at: number): void;
  close(): void;
}

/** The hole that ends first; the player goes on behind it. */
export function nextVideo(places: readonly Position[]): { place: number; hole: Hole } | null {
  let best: { place: number; hole: Hole } | null = null;
  places.forEach((place, n) => {
    if (place.kind !== "gap" || place.hole.end === null) return;
    if (!best || place.hole.end < best.hole.end!) best = { place: n, hole: place.hole };
  });
  return best;
}
