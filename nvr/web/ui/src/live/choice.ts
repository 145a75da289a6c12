/** Which of a camera's streams is played. */

import type { StreamInfo } from "../api/types";

/** The wanted stream, or the other one where the browser or the camera has only that. */
export function chooseStream(streams: readonly StreamInfo[], want: "main" | "sub", able: (mime: string) => boolean): StreamInfo | null {
  const wanted = streams.find((one) => one.stream === want) ?? streams[0] ?? null;
  if (wanted && able(wanted.mime)) return wanted;
  return streams.find((one) => able(one.mime)) ?? wanted;
}
