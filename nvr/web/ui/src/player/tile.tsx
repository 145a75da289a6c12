/** One camera of the player: its video or picture, or the words why there is none. */

import { useEffect, useRef } from "preact/hooks";
import { errorText, momentText } from "../format";
import { reasonText, t } from "../i18n";
import { codecName } from "../media/source";
import { DAY } from "../time";
import { Button } from "../ui/parts";
import type { Position } from "./feed";
import type { Hole } from "./hole";
import { BRIEF } from "./holes";
import type { Player } from "./player";

export function PlayerTile({ player, camera }: { player: Player; camera: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    player.add(camera, video.current!, image.current!);
    return () => player.remove(camera);
  }, [player, camera]);
  const place = player.positionOf(camera);
  const pictures = player.picturesOf(camera);
  return (
    <figure class="tile" data-kind={place.kind}>
      <video ref={video} class={pictures ? "hidden" : ""} muted playsInline data-camera={camera} data-stream="main"
        aria-label={t("play.videoOf", { camera })} />
      <img ref={image} class={pictures ? "" : "hidden"} alt={t("play.videoOf", { camera })} />
      <figcaption class="tile-bar">
        <strong>{camera}</strong>
        {pictures && <span class="chip warn">{t("play.pictures", { codec: codecName(pictures) })}</span>}
        {place.kind === "loading" && <span class="chip">{t("play.loading")}</span>}
      </figcaption>
      <Cover player={player} camera={camera} place={place} />
    </figure>
  );
}

function Cover({ player, camera, place }: { player: Player; camera: string; place: Position }) {
  if (place.kind === "gap") return <GapCover player={player} hole={place.hole} />;
  if (place.kind !== "failed") return null;
  return (
    <div class="cover" role="alert">
      <p>{t("play.failed", { message: errorText(place.error) })}</p>
      <Button label={t("act.retry")} onClick={() => player.retry(camera)} />
    </div>
  );
}

function GapCover({ player, hole }: { player: Player; hole: Hole }) {
  if (hole.end !== null && hole.end - hole.start < BRIEF) return null;
  if (hole.live && !hole.reason) return <div class="cover" role="status"><p>{t("play.end")}</p></div>;
  const why = reasonText(hole.reason, hole.meaning, hole.detail);
  return (
    <div class="cover" role="status" data-testid="gap">
      <p class="cover-head">{t("play.gap")}</p>
      <p>{spanWords(hole, why)}</p>
      {hole.end === null
        ? <p>{t("play.noNext")}</p>
        : <Button kind="main" icon="forward" label={t("play.goNext", { at: momentText(hole.end) })} testid="go-next"
            onClick={() => player.goTo(hole.end!)} />}
      {hole.start > EVER && <Button icon="back" label={t("play.goPrevious")} onClick={() => player.goTo(hole.start - 5000)} />}
    </div>
  );
}

/** A camera that is new has had no video since the begin of time. */
const EVER = DAY;

function spanWords(hole: Hole, why: string): string {
  const from = hole.start > EVER ? momentText(hole.start) : null;
  if (hole.end === null) return from ? t("play.gapOpen", { from, why }) : why;
  const to = momentText(hole.end);
  return from ? t("play.gapWhy", { from, to, why }) : t("play.gapBefore", { to, why });
}
