/** One request for a span of video, streamed into a buffer as it comes. */

import { videoAddress } from "../api/calls";
import { request } from "../api/client";
import { ApiError } from "../api/error";
import { canPlay } from "../media/source";
import { parse, rfc3339 } from "../time";
import { lost } from "./again";

export interface SpanSink {
  begin(mime: string, start: number): Promise<void>;
  data(chunk: BufferSource): unknown;
}

export type SpanResult =
  | { kind: "video"; start: number; end: number }
  | { kind: "nothing"; next: number | null }
  | { kind: "unplayable"; mime: string }
  | { kind: "failed"; error: unknown };

const USUAL_MIME = 'video/mp4; codecs="avc1.640028"';

/** Never throws: an aborted request is a failed one that nobody looks at. */
export async function fetchSpan(
  camera: string, from: number, to: number, origin: number, sink: SpanSink, signal: AbortSignal,
): Promise<SpanResult> {
  try {
    const answer = await request(videoAddress(camera, rfc3339(from), rfc3339(to), rfc3339(origin)), { signal });
    const mime = answer.headers.get("X-NVR-Mime") ?? answer.headers.get("Content-Type") ?? USUAL_MIME;
    const playable = mime.includes("codecs") ? mime : USUAL_MIME;
    if (!canPlay(playable)) {
      void answer.body?.cancel();
      return { kind: "unplayable", mime: playable };
    }
    const start = told(answer, "X-NVR-Start", from);
    await sink.begin(playable, start);
    await pour(answer, sink);
    return { kind: "video", start, end: told(answer, "X-NVR-End", to) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      return { kind: "nothing", next: error.next === null ? null : parse(error.next) };
    }
    return { kind: "failed", error };
  }
}

function told(answer: Response, header: string, otherwise: number): number {
  const at = parse(answer.headers.get(header) ?? "");
  return Number.isNaN(at) ? otherwise : at;
}

async function pour(answer: Response, sink: SpanSink): Promise<void> {
  const reader = answer.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(lost);
    if (done) return;
    sink.data(value as BufferSource);
  }
}
