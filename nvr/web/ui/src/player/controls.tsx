/** Play, step, speed, sound and the clock. */

import { fullClock, momentText } from "../format";
import { reasonText, t } from "../i18n";
import { storeSound } from "../prefs";
import { DAY, rfc3339, SECOND, spanText } from "../time";
import { Button, Choice } from "../ui/parts";
import { SPEEDS, type Player } from "./player";

/** What was skipped is said this long. */
const TOLD = 8 * SECOND;

export function Controls({ player }: { player: Player }) {
  const moving = player.playing && !player.stuck();
  const seekBy = (seconds: number) => player.seek(player.at + seconds * SECOND);
  return (
    <div class="controls" role="toolbar" aria-label={t("tl.watch")}>
      <div class="group">
        <Button icon="back" bare label={t("play.back")} onClick={() => seekBy(-10)} />
        <Button icon="frameBack" bare label={t("play.frameBack")} onClick={() => player.stepFrame(-1)} />
        <Button icon={moving ? "pause" : "play"} bare kind="main" testid="play"
          label={moving ? t("play.pause") : t("play.play")} onClick={() => player.toggle()} />
        <Button icon="frameForward" bare label={t("play.frameForward")} onClick={() => player.stepFrame(1)} />
        <Button icon="forward" bare label={t("play.forward")} onClick={() => seekBy(10)} />
      </div>
      <Choice hideLabel label={t("play.speed")} value={String(player.rate)} onChange={(value) => player.setRate(Number(value))}
        options={SPEEDS.map((speed) => ({ value: String(speed), text: `${speed}×` }))} />
      <Button icon={player.muted ? "mute" : "sound"} bare label={player.muted ? t("play.sound") : t("play.mute")}
        disabled={player.rate > 2} onClick={() => { player.setMuted(!player.muted); storeSound(!player.muted); }} />
      <PlayerTime player={player} />
    </div>
  );
}

function PlayerTime({ player }: { player: Player }) {
  const at = Math.ceil(player.shownAt()); // rounded down it would be an instant of the frame before
  return <time class="clock" data-testid="player-time" data-at={rfc3339(at)} dateTime={rfc3339(at)}>{fullClock(at)}</time>;
}

export function SkipNote({ player }: { player: Player }) {
  const skip = player.skip;
  const recent = skip && performance.now() - skip.when < TOLD;
  return (
    <div class="skip-note" role="status" data-testid="skip-note">
      {recent && t("play.skipped", {
        from: skip.hole.start <= DAY ? "…" : momentText(skip.hole.start), to: momentText(skip.hole.end!),
        why: `${skip.camera}: ${reasonText(skip.hole.reason, skip.hole.meaning, skip.hole.detail)}`,
        span: spanText((skip.hole.end! - skip.from) / SECOND),
      })}
    </div>
  );
}
