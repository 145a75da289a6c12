/** Picture by picture, where the browser cannot play the codec: slow, but never nothing. */

import { pictureAddress } from "../api/calls";
import { request } from "../api/client";
import { ApiError } from "../api/error";
import { parse, rfc3339, SECOND } from "../time";
import { isLate, lost, passing, RETRY, waitAtEnd } from "./again";
import type { Feed, Position } from "./feed";
import { explained, hole, holeAt, type Explain, type Hole } from "./hole";

const WIDTH = 1280;

export class PictureFeed implements Feed {
  private at = 0;
  private since = 0;
  private playing = false;
  private rate = 1;
  private asked = 0;
  private have = false;
  private holes: Hole[] = [];
  private shownAt: number | null = null;
  private url = "";
  private abort: AbortController | null = null;
  private error: unknown = null;
  private notBefore = 0;

  constructor(
    readonly camera: string,
    private readonly image: HTMLImageElement,
    private readonly explain: Explain,
    private readonly changed: () => void,
  ) {}

  position(at: number): Position {
    if (this.error) return { kind: "failed", error: this.error };
    const found = holeAt(this.holes, at);
    if (found) return { kind: "gap", hole: found };
    return this.have ? { kind: "video" } : { kind: "loading" };
  }

  seek(at: number): void {
    this.abort?.abort();
    this.abort = null;
    this.have = false;
    this.error = null;
    this.notBefore = 0;
    this.holes = [];
    this.move(at);
    this.pump(at);
  }

  pump(at: number): void {
    if (this.abort || performance.now() < this.notBefore || (this.error && !passing(this.error))) return;
    const found = holeAt(this.holes, at);
    // At the end of what was recorded, what came since is asked for when somebody looks.
    const due = found ? found.end === null && !document.hidden : this.isDue(at);
    if (this.error || due) void this.load(at);
  }

  /** A key frame a second or so: asking oftener would bring the same picture. */
  private isDue(at: number): boolean {
    return !this.have || Math.abs(at - this.asked) > 400;
  }

  run(playing: boolean, rate: number): void {
    if (playing === this.playing && rate === this.rate) return;
    this.move(this.now());
    this.playing = playing;
    this.rate = rate;
  }

  follow(at: number): void {
    if (Math.abs(at - this.now()) > 200) this.move(at);
  }

  now(): number {
    return this.at + (this.playing ? (performance.now() - this.since) * this.rate : 0);
  }

  shown(): number | null {
    return this.have ? this.shownAt : null;
  }

  frame(): number {
    return SECOND;
  }

  mute(): void {
    // There is no sound.
  }

  retry(at: number): void {
    this.seek(at);
  }

  close(): void {
    this.abort?.abort();
    if (this.url) URL.revokeObjectURL(this.url);
  }

  private move(at: number): void {
    this.at = at;
    this.since = performance.now();
  }

  private async load(at: number): Promise<void> {
    const abort = (this.abort = new AbortController());
    this.asked = at;
    try {
      const answer = await request(pictureAddress(this.camera, rfc3339(at), WIDTH), { signal: abort.signal });
      this.show(await answer.blob().catch(lost), parse(answer.headers.get("X-NVR-At") ?? ""));
      this.answered();
    } catch (error) {
      const found = error instanceof ApiError && error.status === 404 ? await this.missing(at, error.next) : null;
      if (abort.signal.aborted) return;
      if (found) this.answered(found);
      else this.fail(error);
    }
    if (this.abort === abort) this.abort = null;
    this.changed();
  }

  /** Recording may have come further: an end that was met before is none any more. */
  private answered(...found: Hole[]): void {
    this.error = null;
    this.holes = [...this.holes.filter((one) => one.end !== null), ...found];
  }

  private fail(error: unknown): void {
    this.error = error;
    this.notBefore = performance.now() + RETRY;
  }

  private show(picture: Blob, at: number): void {
    const old = this.url;
    this.url = URL.createObjectURL(picture);
    this.image.src = this.url;
    if (old) URL.revokeObjectURL(old);
    this.shownAt = Number.isNaN(at) ? this.asked : at;
    this.have = true;
  }

  private async missing(at: number, next: string | null): Promise<Hole> {
    const found = hole(at, next === null ? null : parse(next));
    if (found.end === null) {
      found.live = isLate(at);
      this.notBefore = performance.now() + waitAtEnd(at);
    }
    return explained(this.camera, found, this.explain);
  }
}
