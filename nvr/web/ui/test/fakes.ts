/** What a browser has and Node has not: a video, the source that it plays from, and a socket that somebody else talks into. */

import { vi } from "vitest";

const ranges = (spans: [number, number][]) => ({
  length: spans.length,
  start: (n: number) => spans[n][0],
  end: (n: number) => spans[n][1],
});

export class FakeVideo extends EventTarget {
  currentTime = 0;
  error: { message: string } | null = null;
  spans: [number, number][] = [];
  paused = true;
  muted = false;
  seeking = false;
  readyState = 4;
  playbackRate = 1;
  src = "";
  disableRemotePlayback = false;
  /** What it says to those who want it to play. */
  refuses: (video: FakeVideo) => boolean = () => false;

  get played() {
    return ranges(this.spans);
  }

  removeAttribute(): void {
    this.src = "";
  }

  load(): void {
    this.error = null;
    this.currentTime = 0;
    this.spans = [];
  }

  async play(): Promise<void> {
    if (this.refuses(this)) throw new DOMException("touch the page first", "NotAllowedError");
    this.paused = false;
  }

  pause(): void {
    this.paused = true;
  }

  break(message: string): void {
    this.error = { message };
    this.dispatchEvent(new Event("error"));
  }

  get element(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }
}

/** Holds a second for each byte, one behind the other; each operation ends in the next task. */
export class FakeBuffer extends EventTarget {
  updating = false;
  spans: [number, number][] = [];
  done: string[] = [];
  room = Number.POSITIVE_INFINITY;

  get buffered() {
    return ranges(this.spans);
  }

  appendBuffer(data: Uint8Array): void {
    const [first, last] = this.spans[0] ?? [0, 0];
    if (last - first + data.length > this.room) throw new DOMException("full", "QuotaExceededError");
    this.spans = [[first, last + data.length]];
    this.work(`append ${data.length}`);
  }

  remove(start: number, end: number): void {
    this.spans = this.spans.map(([first, last]): [number, number] => [start <= first ? Math.max(first, end) : first, last]).filter(([a, b]) => b > a);
    this.work(`remove ${start}-${end}`);
  }

  abort(): void {
    this.done.push("abort");
  }

  get element(): SourceBuffer {
    return this as unknown as SourceBuffer;
  }

  private work(what: string): void {
    this.done.push(what);
    this.updating = true;
    setTimeout(() => {
      this.updating = false;
      this.dispatchEvent(new Event("updateend"));
    });
  }
}

export class FakeSource extends EventTarget {
  static made: FakeSource[] = [];
  static isTypeSupported = () => true;
  readyState = "open";
  duration = 0;
  readonly buffer = new FakeBuffer();

  constructor() {
    super();
    FakeSource.made.push(this);
  }

  addSourceBuffer(): FakeBuffer {
    return this.buffer;
  }
}

export class FakeSocket {
  static made: FakeSocket[] = [];
  binaryType = "";
  onmessage: (message: { data: unknown }) => void = () => undefined;
  onclose: (event: { code: number }) => void = () => undefined;

  constructor() {
    FakeSocket.made.push(this);
  }

  static get newest(): FakeSocket {
    return FakeSocket.made[FakeSocket.made.length - 1];
  }

  close(): void {
    // The server hears it.
  }

  says(...messages: unknown[]): void {
    for (const one of messages) this.onmessage({ data: one instanceof ArrayBuffer ? one : JSON.stringify(one) });
  }
}

export type Answer = (url: URL) => Response | Promise<Response>;

/** Puts them where a browser has them, with a clock that stands still until it is told; the answers are those given. */
export function browser(answer: Answer): { asked: URL[] } {
  const asked: URL[] = [];
  vi.useFakeTimers();
  FakeSource.made = [];
  FakeSocket.made = [];
  vi.stubGlobal("MediaSource", FakeSource);
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { href: "http://nvr/", hash: "#/live" });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    const url = new URL(path, "http://nvr");
    asked.push(url);
    const given = await answer(url);
    init.signal?.throwIfAborted();
    return given;
  });
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:fake");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue();
  return { asked };
}

export function noBrowser(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
}

export const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
