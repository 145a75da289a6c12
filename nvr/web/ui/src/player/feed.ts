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
