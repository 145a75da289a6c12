import { afterEach, expect, it, vi } from "vitest";
import { VideoFeed } from "../src/player/videofeed";
import { parse, rfc3339, SECOND } from "../src/time";
import { browser, FakeVideo, noBrowser } from "./fakes";

const MIME = 'video/mp4; codecs="avc1.640028"';
const AT = parse("2026-11-28T20:30:00Z");

afterEach(noBrowser);

/** Ten seconds of video, whatever was asked for. */
const video = () => new Response(new Uint8Array(10), { headers: { "X-NVR-Mime": MIME } });

function feedOf(picture: FakeVideo) {
  const unplayable = vi.fn();
  const feed = new VideoFeed("gate", picture.element, () => null, unplayable, () => undefined);
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
