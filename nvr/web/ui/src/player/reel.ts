/** What is loaded of one camera: a MediaSource whose time line begins at an origin. Instants outside, seconds inside. */

import { BufferQueue } from "../media/queue";
import { attach, mediaSource } from "../media/source";
import { spansOf, type Span } from "../ranges";
import { DAY, SECOND } from "../time";

const BEHIND = 30;

export class Reel {
  origin = 0;
  /** What was prepared for last. */
  mime = "";
  private source: MediaSource | null = null;
  private detach: (() => void) | null = null;
  private queue: BufferQueue | null = null;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly failed: (error: unknown) => void,
    private readonly idle: () => void,
  ) {}

  get isOpen(): boolean {
    return this.source !== null;
  }

  get isIdle(): boolean {
    return this.queue !== null && !this.queue.buffer.updating && this.queue.length === 0;
  }

  /** Whether no more is to be fetched before something of it was played. */
  get isFull(): boolean {
    return this.queue !== null && this.queue.isFull;
  }

  /** False where this browser has no MediaSource at all. */
  open(origin: number): boolean {
    this.drop();
    const Source = mediaSource();
    if (!Source) return false;
    this.origin = origin;
    this.mime = "";
    const source = (this.source = new Source());
    source.addEventListener("sourceopen", () => {
      // Without a duration a jump to a place that is not loaded yet would be cut off.
      if (source.readyState === "open") source.duration = DAY / SECOND;
    }, { once: true });
    this.detach = attach(this.video, source);
    return true;
  }

  drop(): void {
    this.queue?.close();
    this.queue = null;
    this.source = null;
    this.detach?.();
    this.detach = null;
  }

  clear(): void {
    this.queue?.reset();
    this.queue?.remove(0, DAY / SECOND);
  }

  /** Makes ready for an answer of this type. */
  async prepare(mime: string, signal: AbortSignal): Promise<void> {
    const source = this.source!;
    if (source.readyState !== "open") {
      await new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
    }
    if (signal.aborted) return;
    if (!this.queue) this.queue = new BufferQueue(source.addSourceBuffer(mime), () => this.spare(3), this.failed, this.idle);
    else if (mime !== this.mime) this.queue.changeType(mime);
    this.mime = mime;
  }

  append(chunk: BufferSource): void {
    this.queue?.append(chunk);
  }

  /** An answer has ended too soon: the next one does not go on from its half. */
  breakOff(): void {
    this.queue?.breakOff();
  }

  /** What is loaded, in instants. */
  spans(): Span[] {
    const spans = this.queue ? spansOf(this.queue.buffer.buffered) : [];
    return spans.map(([start, end]): Span => [this.origin + start * SECOND, this.origin + end * SECOND]);
  }

  holds(at: number): boolean {
    return this.spans().some(([start, end]) => at >= start - 20 && at < end - 1);
  }

  seconds(at: number): number {
    return (at - this.origin) / SECOND;
  }

  /** Lets go of what was played; not at every call, a removal is worth it for several seconds at a time. */
  tidy(): void {
    this.queue?.makeRoom();
    const old = this.spare(BEHIND);
    if (old && old[1] - old[0] > 10 && this.isIdle) this.queue!.remove(old[0], old[1]);
  }

  private spare(keep: number): Span | null {
    const spans = this.queue ? spansOf(this.queue.buffer.buffered) : [];
    const end = this.video.currentTime - keep;
    return spans.length && spans[0][0] < end ? [spans[0][0], end] : null;
  }
}
