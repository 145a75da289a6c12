import { afterEach, describe, expect, it, vi } from "vitest";
import { Backoff } from "../src/live/backoff";
import { edgeStep } from "../src/live/edge";
import { fragmentStart, pictureTrack } from "../src/media/boxes";
import { BufferQueue } from "../src/media/queue";
import { codecName } from "../src/media/source";
import { nextVideo } from "../src/player/feed";
import { holeAt, hole, onTimeline, originFor } from "../src/player/hole";
import { HOUR } from "../src/time";
import { FakeBuffer } from "./fakes";

describe("the live edge", () => {
  it.each([
    ["nothing is loaded", 0, [], false, null, 1],
    ["the first picture", 0, [[5, 8]], true, 7.7, 1],
    ["near the end", 9.65, [[0, 10]], false, null, 1],
    ["a little late", 9, [[0, 10]], false, null, 1.1],
    ["far behind", 5, [[0, 10]], false, 9.7, 1],
    ["before a hole", 5, [[0, 5], [20, 22]], false, 21.7, 1],
    ["ahead of all", 40, [[0, 10]], false, 9.7, 1],
  ] as const)("%s", (_, at, buffered, first, seek, rate) => {
    expect(edgeStep(at, buffered as unknown as [number, number][], first)).toEqual({ seek, rate });
  });
});

it("waits longer from try to try, up to a limit", () => {
  const backoff = new Backoff(500, 4000, () => 0.5);
  expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([500, 1000, 2000, 4000, 4000]);
  backoff.reset();
  expect(backoff.next()).toBe(500);
});

function box(type: string, ...content: number[][]): number[] {
  const body = content.flat();
  const size = body.length + 8;
  return [0, 0, size >> 8, size & 255, ...[...type].map((letter) => letter.charCodeAt(0)), ...body];
}

const word = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const bytes = (list: number[]) => new Uint8Array(list).buffer;

function track(id: number, kind: string, scale: number): number[] {
  const tkhd = box("tkhd", word(0), word(0), word(0), word(id));
  const hdlr = box("hdlr", word(0), word(0), [...kind].map((letter) => letter.charCodeAt(0)));
  const mdhd = box("mdhd", word(0), word(0), word(0), word(scale), word(0));
  return box("trak", tkhd, box("mdia", mdhd, hdlr));
}

describe("boxes", () => {
  const init = bytes([...box("ftyp", word(0)), ...box("moov", track(1, "soun", 48000), track(2, "vide", 90000))]);

  it("tell the picture track", () => expect(pictureTrack(init)).toEqual({ id: 2, scale: 90000 }));

  it.each([0, 1])("tell a fragment's first time (version %d)", (version) => {
    const time = version ? [...word(0x01000000), ...word(1), ...word(0)] : [...word(0), ...word(180000)];
    const traf = (id: number, tfdt: number[]) => box("traf", box("tfhd", word(0), word(id)), box("tfdt", tfdt));
    const segment = bytes(box("moof", traf(1, [...word(0), ...word(7)]), traf(2, time)));
    expect(fragmentStart(segment, { id: 2, scale: 90000 })).toBeCloseTo(version ? 2 ** 32 / 90000 : 2, 6);
  });

  it("are not found in what is none", () => {
    expect(pictureTrack(bytes([1, 2, 3]))).toBeNull();
    expect(pictureTrack(bytes(box("moov")))).toBeNull();
    expect(fragmentStart(bytes([0, 0, 0, 1, 65, 65, 65, 65, 0, 0]), { id: 1, scale: 1 })).toBeNull();
  });
});

it.each([["hvc1.1.6.L93.B0", "H.265"], ['video/mp4; codecs="avc1.640028"', "H.264"], ["hevc", "H.265"], ["vp9", "vp9"]])("%s is %s", (codec, name) => {
  expect(codecName(codec)).toBe(name);
});

describe("holes", () => {
  const known = [hole(100, 200), hole(500, null)];

  it("hold a moment", () => {
    expect(holeAt(known, 100)?.end).toBe(200);
    expect(holeAt(known, 200)).toBeNull();
    expect(holeAt(known, 199.999)).toBeNull();
    expect(holeAt(known, 1e9)?.end).toBeNull();
  });

  it("end first where the player goes on", () => {
    const gap = (end: number | null) => ({ kind: "gap", hole: hole(0, end) }) as const;
    expect(nextVideo([gap(30), gap(20), gap(null)])).toEqual({ place: 1, hole: hole(0, 20) });
    expect(nextVideo([gap(null), { kind: "failed", error: null }])).toBeNull();
  });

  it("share an hour's time line", () => {
    const at = 100.5 * HOUR;
    expect(originFor(at)).toBe(99 * HOUR);
    expect(onTimeline(99 * HOUR, at)).toBe(true);
    expect(onTimeline(99 * HOUR, 99 * HOUR)).toBe(false);
    expect(onTimeline(99 * HOUR, 200 * HOUR)).toBe(false);
  });
});

describe("a buffer that is full", () => {
  afterEach(() => void vi.useRealTimers());

  it("keeps what came until something was played, and goes on in order", async () => {
    vi.useFakeTimers();
    const buffer = new FakeBuffer();
    buffer.room = 10;
    let spare: [number, number] | null = null;
    const failed = vi.fn();
    const queue = new BufferQueue(buffer.element, () => spare, failed);
    for (const size of [6, 5, 4]) queue.append(new Uint8Array(size));
    await vi.advanceTimersByTimeAsync(10);
    expect([buffer.done, queue.isFull, queue.length]).toEqual([["append 6"], true, 2]);
    spare = [0, 5];
    queue.makeRoom();
    spare = null;
    await vi.advanceTimersByTimeAsync(10);
    expect([buffer.done, queue.isFull, queue.length]).toEqual([["append 6", "remove 0-5", "append 5", "append 4"], false, 0]);
    expect(failed).not.toHaveBeenCalled();
  });

  it("is emptied by a reset", async () => {
    vi.useFakeTimers();
    const buffer = new FakeBuffer();
    buffer.room = 3;
    const queue = new BufferQueue(buffer.element, () => null, () => undefined);
    queue.append(new Uint8Array(4));
    queue.reset();
    queue.append(new Uint8Array(3));
    expect(buffer.done).toEqual(["abort", "append 3"]);
  });
});
