import { afterEach, expect, it, vi } from "vitest";
import { Player } from "../src/player/player";
import { VideoFeed } from "../src/player/videofeed";
import { parse, rfc3339, SECOND } from "../src/time";
import { browser, FakeSource, FakeVideo, noBrowser } from "./fakes";

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
