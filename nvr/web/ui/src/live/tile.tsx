/** One camera, live: video where the browser can, pictures where it cannot, and always what its state is. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Camera } from "../api/types";
import { secondsText } from "../format";
import { stateText, t } from "../i18n";
import { canPlay, codecName, mediaSource } from "../media/source";
import { chooseStream } from "./choice";
import { LivePictures } from "./pictures";
import { LiveStream, type LiveState } from "./stream";

interface Props {
  camera: Camera;
  want: "main" | "sub";
  onOpen?: () => void;
}

export function LiveTile({ camera, want, onOpen }: Props) {
  const box = useRef<HTMLElement>(null);
  const active = useActive(box);
  const stream = chooseStream(camera.streams, want, canPlay);
  const [state, setState] = useState<LiveState>({ kind: "connecting" });
  const [skipped, setSkipped] = useState(0);
  const able = stream !== null && mediaSource() !== null && canPlay(stream.mime) && state.kind !== "unplayable";
  const unplayable = stream !== null && !able;
  // What it sends now may be played where that before could not.
  useEffect(() => setState((was) => (was.kind === "unplayable" ? { kind: "connecting" } : was)), [stream?.stream, stream?.mime]);
  return (
    <figure ref={box} class="tile live" data-camera-tile={camera.camera} data-state={able ? state.kind : "pictures"}>
      {able && <LiveVideo camera={camera.camera} stream={stream.stream} active={active} onState={setState} onSkipped={setSkipped} />}
      {!able && (camera.picture
        ? <LivePictures camera={camera.camera} active={active} wide={want === "main"} />
        : <div class="cover"><p>{t("live.noPicture")}</p></div>)}
      {able && camera.picture && (state.kind === "waiting" || state.kind === "gone") && <div class="cover thin"><p>{words(state)}</p></div>}
      <figcaption class="tile-bar">
        <strong>{camera.camera}</strong>
        <span class={`chip ${camera.state === "recording" ? "good" : "warn"}`}>{stateText(camera.state)}</span>
        {able && <span class={`chip ${state.kind === "playing" ? "" : "warn"}`}>{words(state)}</span>}
        {unplayable && <span class="chip warn">{mediaSource() ? t("live.cannotPlay", { codec: codecName(stream.codec || stream.mime) }) : t("live.noMse")}</span>}
        {!stream && <span class="chip warn">{t("live.noStream")}</span>}
        {skipped > 0 && <span class="chip warn">{t("live.skipped", { seconds: Math.round(skipped) })}</span>}
        {camera.frame_age !== null && !able &&
          <span class="chip">{t("live.age", { age: secondsText(camera.frame_age) })}</span>}
      </figcaption>
      {camera.last_error && camera.state !== "recording" && <p class="tile-error" role="status">{camera.last_error}</p>}
      {onOpen && <button type="button" class="tile-open" aria-label={t("live.enlarge", { camera: camera.camera })} onClick={onOpen} />}
    </figure>
  );
}

function words(state: LiveState): string {
  switch (state.kind) {
    case "playing": return t("live.playing");
    case "connecting": return t("live.connecting");
    case "stalled": return t("live.stalled", { age: secondsText(state.seconds) });
    case "waiting": return state.reason ? t("live.waitingFor", { reason: state.reason }) : t("live.waiting");
    case "paused": return t("live.paused");
    case "forbidden": return t("live.forbidden");
    case "gone": return t("live.noStream");
    case "tooMany": return t("live.tooMany");
    default: return t("live.reconnecting");
  }
}

function LiveVideo({ camera, stream, active, onState, onSkipped }: {
  camera: string; stream: string; active: boolean; onState: (state: LiveState) => void; onSkipped: (seconds: number) => void;
}) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (!active) {
      onState({ kind: "paused" });
      return;
    }
    let timer: ReturnType<typeof setTimeout>;
    const live = new LiveStream(video.current!, camera, stream, onState, (seconds) => {
      onSkipped(seconds);
      clearTimeout(timer);
      timer = setTimeout(() => onSkipped(0), 5000);
    });
    return () => {
      clearTimeout(timer);
      onSkipped(0);
      live.close();
    };
  }, [camera, stream, active]);
  return <video ref={video} muted playsInline autoPlay data-camera={camera} data-stream={stream} />;
}

/** Only what can be seen is fetched: the tab is visible and the tile is on the screen. */
function useActive(box: { readonly current: HTMLElement | null }): boolean {
  const [seen, setSeen] = useState(false);
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const watch = new IntersectionObserver((entries) => setSeen(entries[entries.length - 1].isIntersecting), { rootMargin: "100px" });
    watch.observe(box.current!);
    const changed = () => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", changed);
    return () => {
      watch.disconnect();
      document.removeEventListener("visibilitychange", changed);
    };
  }, []);
  return seen && visible;
}
