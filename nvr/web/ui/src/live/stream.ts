/** One live stream: a WebSocket whose fragments go into a MediaSource. */

import { socketAddress } from "../api/client";
import { loadAccount } from "../session";
import { fragmentStart, pictureTrack } from "../media/boxes";
import { Faults } from "../media/faults";
import { BufferQueue } from "../media/queue";
import { attach, canPlay, mediaSource } from "../media/source";
import { spansOf } from "../ranges";
import { Backoff } from "./backoff";
import { edgeStep } from "./edge";

export type LiveState =
  | { kind: "connecting" | "playing" | "reconnecting" | "forbidden" | "gone" | "tooMany" | "paused" }
  | { kind: "waiting"; reason: string }
  /** Connected, and nothing has come for so many seconds: the picture stands still. */
  | { kind: "stalled"; seconds: number }
  | { kind: "unplayable"; mime: string };

interface Format {
  type: "format";
  mime: string;
  codec: string;
  width: number;
  height: number;
  origin: string;
}

type Told = Format | { type: "skipped"; seconds: number } | { type: "waiting"; reason: string };

const KEEP = 10;
/** Milliseconds without a picture that are worth a word: cameras send one a second at least. */
const STALLED = 3000;

export class LiveStream {
  private socket: WebSocket | null = null;
  private source: MediaSource | null = null;
  private queue: BufferQueue | null = null;
  private detach: (() => void) | null = null;
  private pending: MessageEvent[] = [];
  private mime = "";
  private track: ReturnType<typeof pictureTrack> = null;
  private expect: "init" | "first" | "media" = "init";
  private shown = false;
  private cameAt = 0;
  private stalled = 0;
  private closed = false;
  private retry = 0;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly backoff = new Backoff();
  private readonly faults: Faults;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly camera: string,
    private readonly stream: string,
    private readonly tell: (state: LiveState) => void,
    private readonly skipped: (seconds: number) => void,
  ) {
    this.timer = setInterval(() => this.keepUp(), 250);
    this.faults = new Faults(video);
    video.addEventListener("error", this.broke);
    this.open();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.video.removeEventListener("error", this.broke);
    this.drop();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.queue?.close();
    this.queue = null;
    this.source = null;
    this.detach?.();
    this.detach = null;
    this.pending = [];
  }

  /** The socket opens at once, beside the source: its first messages wait for `sourceopen`. */
  private open(): void {
    if (this.closed) return;
    this.drop();
    this.mime = "";
    this.expect = "init";
    this.shown = false;
    this.stalled = 0;
    const Source = mediaSource();
    if (!Source) return this.tell({ kind: "unplayable", mime: "" });
    this.tell({ kind: "connecting" });
    const source = (this.source = new Source());
    source.addEventListener("sourceopen", () => this.flush(), { once: true });
    this.detach = attach(this.video, source);
    const socket = new WebSocket(socketAddress(`cameras/${encodeURIComponent(this.camera)}/live`, { stream: this.stream }));
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message) => {
      this.pending.push(message);
      this.flush();
    };
    socket.onclose = (event) => this.socket === socket && this.ended(event.code);
    this.socket = socket;
  }

  private flush(): void {
    if (this.source?.readyState !== "open") return;
    try {
      for (let one = this.pending.shift(); one; one = this.pending.shift()) {
        if (typeof one.data === "string") this.text(JSON.parse(one.data) as Told);
        else this.binary(one.data as ArrayBuffer);
      }
    } catch {
      this.failed();
    }
  }

  private text(told: Told): void {
    if (told.type === "waiting") {
      this.expect = "init"; // what comes next is a format; until then nothing has stalled
      this.tell({ kind: "waiting", reason: told.reason });
    } else if (told.type === "skipped") this.skipped(told.seconds);
    else if (told.type === "format") this.format(told);
  }

  private format(told: Format): void {
    const same = told.mime === this.mime;
    this.mime = told.mime;
    if (!canPlay(told.mime)) return this.giveUp();
    this.expect = "init";
    if (!this.queue) {
      const buffer = this.source!.addSourceBuffer(told.mime);
      this.queue = new BufferQueue(buffer, () => this.old(2), () => this.failed(), () => this.keepUp());
    } else if (!same) this.queue.changeType(told.mime);
  }

  private binary(data: ArrayBuffer): void {
    if (!this.queue) return;
    this.cameAt = performance.now();
    if (this.expect === "init") {
      this.track = pictureTrack(data);
      this.expect = "first";
    } else if (this.expect === "first") {
      // The origin may be days ago: what is buffered begins near 0, or where the format before ended.
      const start = this.track && fragmentStart(data, this.track);
      const spans = spansOf(this.queue.buffer.buffered);
      const end = spans.length ? spans[spans.length - 1][1] : 0;
      if (start !== null) this.queue.offset(end - start);
      this.expect = "media";
      this.tell({ kind: "playing" });
    }
    this.queue.append(data);
  }

  private watchStall(): void {
    if (this.expect !== "media") return;
    const still = performance.now() - this.cameAt;
    const seconds = still > STALLED ? Math.floor(still / 1000) : 0;
    if (seconds === this.stalled) return;
    this.stalled = seconds;
    this.tell(seconds ? { kind: "stalled", seconds } : { kind: "playing" });
  }

  private keepUp(): void {
    const { queue, video } = this;
    if (!queue) return;
    this.watchStall();
    queue.makeRoom();
    const spans = spansOf(queue.buffer.buffered);
    const step = edgeStep(video.currentTime, spans, !this.shown);
    if (step.seek !== null) video.currentTime = step.seek;
    if (video.playbackRate !== step.rate) video.playbackRate = step.rate;
    if (spans.length) this.shown = true;
    if (video.paused && spans.length) void video.play().catch(() => undefined);
    const old = this.old(KEEP);
    // Not at every tick: a removal is worth it for several seconds at a time.
    if (old && old[1] - old[0] > KEEP && queue.length === 0) queue.remove(old[0], old[1]);
  }

  private old(keep: number): [number, number] | null {
    const spans = this.queue ? spansOf(this.queue.buffer.buffered) : [];
    const end = this.video.currentTime - keep;
    return spans.length && spans[0][0] < end ? [spans[0][0], end] : null;
  }

  private readonly broke = (): void => {
    if (this.video.error && this.source) this.failed();
  };

  /** The browser could not take what came. */
  private failed(): void {
    if (this.closed) return;
    if (this.faults.add()) this.giveUp();
    else this.ended(0);
  }

  private giveUp(): void {
    this.closed = true;
    this.drop();
    this.tell({ kind: "unplayable", mime: this.mime });
  }

  private ended(code: number): void {
    if (this.closed) return;
    if (this.faults.proven()) this.backoff.reset();
    this.drop();
    // Where the session is gone this leads to the login; where only the camera is, the next try is told so.
    if (code === 4401) void loadAccount().catch(() => undefined);
    if (code === 4403) return this.tell({ kind: "forbidden" });
    if (code === 4404) this.tell({ kind: "gone" });
    else this.tell({ kind: code === 4429 ? "tooMany" : "reconnecting" });
    this.retry = setTimeout(() => this.open(), this.backoff.next()) as unknown as number;
  }
}
