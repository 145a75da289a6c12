import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveStream, type LiveState } from "../src/live/stream";
import { browser, FakeSocket, FakeSource, FakeVideo, json, noBrowser } from "./fakes";

const MIME = 'video/mp4; codecs="avc1.640028"';
const FORMAT = { type: "format", mime: MIME };
const fragment = () => new ArrayBuffer(1);

let video: FakeVideo;
let told: LiveState[];
let live: LiveStream;
let asked: URL[];

beforeEach(() => {
  ({ asked } = browser(() => json(200, {})));
  video = new FakeVideo();
  told = [];
  live = new LiveStream(video.element, "gate", "sub", (state) => told.push(state), () => undefined);
});

afterEach(() => {
  live.close();
  noBrowser();
});

const last = () => told[told.length - 1];
const begin = () => FakeSocket.newest.says(FORMAT, fragment(), fragment());
const reconnected = () => vi.advanceTimersByTimeAsync(6000);

describe("what the browser cannot decode", () => {
  it("is given up at the second time", async () => {
    begin();
    video.break("no frame");
    expect(last().kind).toBe("reconnecting");
    await reconnected();
    begin();
    FakeSource.made[1].buffer.dispatchEvent(new Event("error"));
    expect(last()).toEqual({ kind: "unplayable", mime: MIME });
    await reconnected();
    expect(FakeSocket.made).toHaveLength(2);
  });

  it("is tried again where it has played before", async () => {
    for (let n = 0; n < 3; n++) {
      begin();
      video.spans = [[0, 6]];
      video.break("no frame");
      expect(last().kind).toBe("reconnecting");
      await reconnected();
    }
  });
});

it("while it waits for the camera, nothing has stalled", async () => {
  begin();
  FakeSocket.newest.says({ type: "waiting", reason: "camera away" });
  await vi.advanceTimersByTimeAsync(5000);
  expect(last()).toEqual({ kind: "waiting", reason: "camera away" });
  begin();
  expect(last().kind).toBe("playing");
  await vi.advanceTimersByTimeAsync(5000);
  expect(last().kind).toBe("stalled");
});

it("where the account may not watch any longer, it is looked whether it is logged in, and tried again", async () => {
  FakeSocket.newest.onclose({ code: 4401 });
  await reconnected();
  expect(asked.map((url) => url.pathname)).toEqual(["/api/v1/me"]);
  expect(FakeSocket.made).toHaveLength(2);
  FakeSocket.newest.onclose({ code: 4404 });
  expect(last().kind).toBe("gone");
});
