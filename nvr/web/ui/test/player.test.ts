import { afterEach, describe, expect, it, vi } from "vitest";
import { PictureFeed } from "../src/player/picturefeed";
import { Player } from "../src/player/player";
import { FrameStep } from "../src/player/step";
import { VideoFeed } from "../src/player/videofeed";
import { parse, rfc3339, SECOND } from "../src/time";
import { browser, FakeSource, FakeVideo, json, noBrowser, type Answer } from "./fakes";

const MIME = 'video/mp4; codecs="avc1.640028"';
const AT = parse("2026-11-28T20:30:00Z");

afterEach(noBrowser);

/** Ten seconds of video, whatever was asked for. */
const video = () => new Response(new Uint8Array(10), { headers: { "X-NVR-Mime": MIME } });

function feedOf(picture: FakeVideo) {
  const unplayable = vi.fn();
  const feed = new VideoFeed("gate", picture.element, () => null, unplayable, () => undefined, () => undefined);
  return { feed, unplayable };
}

it("a video that breaks is told with its message, and tried again where the player was", async () => {
  const { asked } = browser(video);
  const picture = new FakeVideo();
  const { feed, unplayable } = feedOf(picture);
  feed.seek(AT);
  await vi.advanceTimersByTimeAsync(10);
  picture.break("no frame");
  expect(feed.position(AT)).toEqual({ kind: "failed", error: new Error("no frame") });
  feed.retry(AT + SECOND);
  await vi.advanceTimersByTimeAsync(10);
  expect(asked.at(-1)!.searchParams.get("from")).toBe(rfc3339(AT + SECOND));
  expect(feed.position(AT + SECOND).kind).not.toBe("failed");
  picture.break("no frame again");
  expect(unplayable).toHaveBeenCalledExactlyOnceWith(MIME);
});

it("a video that breaks once in a while is no reason to give it up", async () => {
  browser(video);
  const picture = new FakeVideo();
  const { feed, unplayable } = feedOf(picture);
  feed.seek(AT);
  for (let n = 0; n < 3; n++) {
    await vi.advanceTimersByTimeAsync(10);
    picture.spans = [[3600, 3606]];
    picture.break("no frame");
    feed.retry(AT);
  }
  expect(unplayable).not.toHaveBeenCalled();
});

function playerOf(...pictures: FakeVideo[]): Player {
  const player = new Player(AT, true);
  player.muted = false;
  pictures.forEach((one, n) => player.add(`camera${n}`, one.element, {} as HTMLImageElement));
  return player;
}

/** As if what comes lay where it was asked for. */
function loaded(): void {
  for (const { buffer } of FakeSource.made) buffer.spans = [[5000, 6000]];
}

it.each([
  ["with sound", (one: FakeVideo) => !one.muted, [true, true, false]],
  ["at all", () => true, [true, false, true]],
] as const)("where the browser lets nothing play %s, the player says so", async (_, refuses, expected) => {
  browser(video);
  const picture = new FakeVideo();
  picture.refuses = refuses;
  const player = playerOf(picture);
  await vi.advanceTimersByTimeAsync(10);
  loaded();
  await vi.advanceTimersByTimeAsync(300);
  expect([player.muted, player.playing, picture.paused]).toEqual(expected);
  player.close();
});

it("a clip that has ended begins anew", async () => {
  browser(video);
  const picture = new FakeVideo();
  const player = playerOf(picture);
  player.until = AT + 10 * SECOND;
  await vi.advanceTimersByTimeAsync(10);
  loaded();
  await vi.advanceTimersByTimeAsync(100);
  picture.currentTime += 11;
  await vi.advanceTimersByTimeAsync(100);
  expect(player.playing).toBe(false);
  player.toggle();
  expect([player.playing, player.at]).toEqual([true, AT]);
  player.close();
});

it("who is left is heard", () => {
  browser(video);
  const [first, second] = [new FakeVideo(), new FakeVideo()];
  const player = playerOf(first, second);
  expect([first.muted, second.muted]).toEqual([false, true]);
  player.remove("camera0");
  expect(second.muted).toBe(false);
  player.close();
});

/** An answer whose connection is lost behind its first bytes. */
function brokenOff(): Response {
  let sent = false;
  const pull = (stream: ReadableStreamDefaultController) => {
    if (sent) return stream.error(new TypeError("network error"));
    sent = true;
    stream.enqueue(new Uint8Array(3));
  };
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  return new Response(body, { headers: { "X-NVR-Mime": MIME } });
}

/** Each answer once, the last one again and again. */
function inTurn(...answers: Answer[]): Answer {
  return (url) => (answers.length > 1 ? answers.shift()! : answers[0])(url);
}

it("video whose connection is lost is asked for again, from its beginning", async () => {
  const { asked } = browser(inTurn(brokenOff, video));
  const { feed } = feedOf(new FakeVideo());
  feed.seek(AT);
  await vi.advanceTimersByTimeAsync(100);
  expect(feed.position(AT).kind).toBe("failed");
  await vi.advanceTimersByTimeAsync(5 * SECOND);
  feed.pump(AT, 1);
  await vi.advanceTimersByTimeAsync(100);
  expect(asked.map((url) => url.searchParams.get("from"))).toEqual([rfc3339(AT), rfc3339(AT)]);
  const done = FakeSource.made[0].buffer.done.filter((one) => !one.startsWith("remove"));
  expect(done).toEqual(["append 3", "abort", "append 10"]);
});

const refused = (status: number): Answer => (url) =>
  url.pathname.endsWith("/why") ? json(200, { kind: "to come" }) : json(status, { error: { code: "x", message: "y" } });

it.each([
  ["a server that is away", refused(503), "failed"],
  ["a connection that is lost", brokenOff, "failed"],
  ["the end of what has been recorded so far", refused(404), "gap"],
] as const)("single pictures go on after %s", async (_, answer, kind) => {
  browser(inTurn(answer, (url) => (url.pathname.endsWith("/why") ? json(200, { kind: "to come" }) : new Response("jpeg"))));
  vi.setSystemTime(AT);
  const feed = new PictureFeed("gate", {} as HTMLImageElement, () => null, () => undefined);
  feed.seek(AT);
  await vi.advanceTimersByTimeAsync(1900);
  feed.pump(AT);
  await vi.advanceTimersByTimeAsync(50);
  expect(feed.position(AT).kind).toBe(kind);
  await vi.advanceTimersByTimeAsync(100);
  feed.pump(AT);
  await vi.advanceTimersByTimeAsync(50);
  expect(feed.position(AT).kind).toBe("video");
});

it.each([1, 2, 5, 8, 10, 12, 15, 20, 25, 30])("the next frame of %d a second is found", (fps) => {
  const frame = SECOND / fps;
  const step = new FrameStep();
  const from = 7 * frame;
  let at = from + 45;
  step.begin(from, 45);
  for (let next: number | null = at; next !== null; next = step.further(Math.floor(at / frame + 1e-9) * frame)) at = next;
  expect(Math.floor(at / frame)).toBe(8);
  expect(step.further(from)).toBeNull();
});

describe("at the end of what has been recorded so far", () => {
  const nothing = refused(404);
  const feeds = {
    video: () => feedOf(new FakeVideo()).feed,
    pictures: () => new PictureFeed("gate", {} as HTMLImageElement, () => null, () => undefined),
  };

  it.each(["video", "pictures"] as const)("%s are asked for as long as somebody looks", async (kind) => {
    const { asked } = browser(nothing);
    vi.setSystemTime(AT);
    const feed = feeds[kind]();
    const questions = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(10);
      asked.length = 0;
      for (const end = performance.now() + ms; performance.now() < end; feed.pump(AT, 1)) await vi.advanceTimersByTimeAsync(100);
      return asked.length;
    };
    feed.seek(AT);
    expect(await questions(10 * SECOND)).toBeGreaterThan(5);
    Object.assign(document, { hidden: true });
    expect(await questions(10 * SECOND)).toBe(0);
    Object.assign(document, { hidden: false });
    expect(await questions(SECOND)).toBeGreaterThan(0);
  });
});
