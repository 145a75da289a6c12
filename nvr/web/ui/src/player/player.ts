/** Several cameras on one clock. The first feed that has video leads; the others keep in step with it. */

import { SECOND } from "../time";
import { nextVideo, type Feed, type Position } from "./feed";
import type { Explain, Hole, Skip } from "./hole";
import { PictureFeed } from "./picturefeed";
import { FrameStep } from "./step";
import { VideoFeed } from "./videofeed";

export const SPEEDS = [0.5, 1, 2, 4, 8, 16];
/** A feed that loads for longer than this no longer holds up the others. */
const PATIENCE = 5 * SECOND;
const REASON = 1.5 * SECOND;
const TICK = 50;

interface Seat {
  feed: Feed;
  video: HTMLVideoElement;
  image: HTMLImageElement;
  /** The codec that this browser cannot play, or null where the video plays. */
  pictures: string | null;
  loadingSince: number;
}

export class Player {
  at: number;
  playing: boolean;
  rate = 1;
  muted = true;
  /** What was jumped over last. */
  skip: Skip | null = null;
  /** Stops there; null is never. */
  until: number | null = null;
  /** Goes on to the next video at once where there is none: for a span that was chosen by nvr and not by a person. */
  eager = false;
  /** Where a clip that has ended is played from again. */
  private readonly begin: number;
  private landed = true;
  private untoldSince = 0;
  private readonly step = new FrameStep();
  private readonly seats = new Map<string, Seat>();
  private readonly listeners = new Set<() => void>();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(at: number, playing: boolean, private readonly explain: Explain = () => null) {
    this.at = this.begin = at;
    this.playing = playing;
    this.timer = setInterval(() => this.tick(), TICK);
  }

  listen(call: () => void): () => void {
    this.listeners.add(call);
    return () => this.listeners.delete(call);
  }

  close(): void {
    clearInterval(this.timer);
    for (const seat of this.seats.values()) seat.feed.close();
    this.seats.clear();
  }

  add(camera: string, video: HTMLVideoElement, image: HTMLImageElement): void {
    this.remove(camera);
    // Whether the codec can be played is told by the answer: what was recorded then may differ from now.
    const feed = new VideoFeed(
      camera, video, this.explain, (mime) => this.toPictures(camera, mime), () => this.changed(), (silent) => this.refused(silent),
    );
    this.seats.set(camera, { video, image, pictures: null, loadingSince: 0, feed });
    feed.seek(this.at);
    this.sound();
    this.changed();
  }

  remove(camera: string): void {
    this.seats.get(camera)?.feed.close();
    this.seats.delete(camera);
    this.sound();
    this.changed();
  }

  positionOf(camera: string): Position {
    return this.seats.get(camera)?.feed.position(this.at) ?? { kind: "loading" };
  }

  picturesOf(camera: string): string | null {
    return this.seats.get(camera)?.pictures ?? null;
  }

  /** The instant of the picture on the screen; between pictures, that of the clock. */
  shownAt(): number {
    const leader = this.leader();
    return leader?.feed.shown() ?? this.at;
  }

  seek(at: number): void {
    this.landed = true;
    this.skip = null;
    this.step.stop();
    this.jump(at);
  }

  private jump(at: number): void {
    this.at = at;
    for (const seat of this.seats.values()) {
      seat.loadingSince = 0;
      seat.feed.seek(at);
    }
    this.tick();
    this.changed();
  }

  /** Goes somewhere and plays on. */
  goTo(at: number): void {
    this.playing = true;
    this.seek(at);
  }

  /** Where somebody has gone to a moment without video: the hole it is in. */
  stuck(): Hole | null {
    if (!this.landed || this.eager || !this.seats.size || this.leader()) return null;
    return nextVideo([...this.seats.values()].map((seat) => seat.feed.position(this.at)))?.hole ?? null;
  }

  toggle(): void {
    const hole = this.stuck();
    if (hole) return this.goTo(hole.end!);
    if (!this.playing && this.ended()) return this.goTo(this.begin);
    this.setPlaying(!this.playing);
  }

  private setPlaying(on: boolean): void {
    this.playing = on;
    this.tick();
    this.changed();
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.sound();
    this.tick();
    this.changed();
  }

  setMuted(on: boolean): void {
    this.muted = on;
    this.sound();
    this.changed();
  }

  stepFrame(direction: 1 | -1): void {
    this.setPlaying(false);
    const leader = this.leader();
    const from = leader?.feed.shown() ?? this.at;
    // Into the middle of the neighbouring frame, so that rounding shows neither this one nor the one after.
    const reach = (direction > 0 ? 1.5 : -0.5) * (leader?.feed.frame() ?? SECOND / 25);
    this.seek(from + reach);
    if (direction > 0) this.step.begin(from, reach);
  }

  retry(camera: string): void {
    this.seats.get(camera)?.feed.retry(this.at);
  }

  /** The first video is heard; single pictures have no sound. */
  private sound(): void {
    const seats = [...this.seats.values()];
    const heard = this.muted || this.rate > 2 ? undefined : seats.find((seat) => seat.pictures === null);
    for (const seat of seats) seat.feed.mute(seat !== heard);
  }

  /** The browser lets nothing play with sound, or nothing at all: then the button says so. */
  private refused(silent: boolean): void {
    if (silent) this.setPlaying(false);
    else this.setMuted(true);
  }

  private toPictures(camera: string, mime: string): void {
    const seat = this.seats.get(camera);
    if (!seat) return;
    seat.feed.close();
    seat.pictures = mime || "video";
    seat.feed = new PictureFeed(camera, seat.image, this.explain, () => this.changed());
    seat.feed.seek(this.at);
    this.sound();
    this.changed();
  }

  private leader(): Seat | null {
    for (const seat of this.seats.values()) if (seat.feed.position(this.at).kind === "video") return seat;
    return null;
  }

  private tick(): void {
    const seats = [...this.seats.values()];
    for (const seat of seats) seat.feed.pump(this.at, this.rate);
    const leader = this.leader();
    if (leader) this.playWith(leader, seats);
    else this.withoutVideo(seats);
    const further = leader && !this.playing ? this.step.further(leader.feed.shown()) : null;
    if (further !== null) this.jump(further);
    if (this.playing && this.ended()) {
      this.playing = false;
      for (const seat of seats) seat.feed.run(false, this.rate);
      this.changed();
    }
  }

  private ended(): boolean {
    return this.until !== null && this.at >= this.until;
  }

  private playWith(leader: Seat, seats: Seat[]): void {
    const now = performance.now();
    this.landed = false;
    const places = seats.map((seat) => seat.feed.position(this.at).kind);
    seats.forEach((seat, n) => {
      seat.loadingSince = places[n] === "loading" ? seat.loadingSince || now : 0;
    });
    const wait = seats.some((seat) => seat.loadingSince && now - seat.loadingSince < PATIENCE);
    seats.forEach((seat, n) => seat.feed.run(this.playing && !wait && places[n] === "video", this.rate));
    this.at = leader.feed.now();
    seats.forEach((seat, n) => {
      if (seat !== leader && places[n] === "video") seat.feed.follow(this.at, this.rate);
    });
  }

  private withoutVideo(seats: Seat[]): void {
    const places = seats.map((seat) => seat.feed.position(this.at));
    for (const seat of seats) seat.feed.run(false, this.rate);
    if (!seats.length || places.some((place) => place.kind === "loading")) return;
    const next = nextVideo(places);
    if (!this.playing || (this.landed && !this.eager) || !next) return;
    const brief = next.hole.end! - this.at < SECOND;
    const now = performance.now();
    this.untoldSince ||= now;
    // The reason is on its way: it is worth a moment, but not more.
    if (!brief && !next.hole.told && now - this.untoldSince < REASON) return;
    this.untoldSince = 0;
    if (!brief) this.skip = { camera: seats[next.place].feed.camera, hole: next.hole, from: this.at, when: now };
    this.jump(next.hole.end!);
  }

  private changed(): void {
    for (const call of this.listeners) call();
  }
}
