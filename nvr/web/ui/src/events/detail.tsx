/** One event: picture, video, marks, and the way to its neighbours. */

import { useEffect, useState } from "preact/hooks";
import { event as askEvent, markEvent, videoAddress } from "../api/calls";
import { below } from "../api/client";
import type { EventDetail, EventId } from "../api/types";
import { labelColour } from "../colours";
import { instantText } from "../format";
import { useLoaded, useTitle } from "../hooks";
import { Icon } from "../icons";
import { kindText, labelText, t } from "../i18n";
import { Controls, SkipNote } from "../player/controls";
import { PlayerTile } from "../player/tile";
import { usePlayer } from "../player/use";
import { href, type Route } from "../route";
import { parse, rfc3339 } from "../time";
import { Button, Check, ErrorNote, Loading } from "../ui/parts";
import { durationText } from "./card";
import { addressOf, filterOf, type Filter } from "./filter";
import { neighbours, type Around } from "./neighbours";
import { SnapshotOverlay } from "./overlay";

export function EventDetailPage({ route }: { route: Route }) {
  const told = useLoaded(() => askEvent(route.arg), [route.arg]);
  const event = told.value;
  useTitle(event ? `${labelText(event.label)} ${event.camera}` : t("ev.title"));
  if (!event) return told.error ? <ErrorNote error={told.error} onRetry={() => void told.reload()} /> : <Loading />;
  return <Detail key={event.id} event={event} filter={filterOf(route.query)} onChange={told.set} />;
}

interface DetailProps {
  event: EventDetail;
  filter: Filter;
  onChange: (event: EventDetail) => void;
}

function Detail({ event, filter, onChange }: DetailProps) {
  const [overlay, setOverlay] = useState(true);
  const [playing, setPlaying] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const mark = async (marks: { locked?: boolean; false?: boolean }) => {
    try {
      onChange({ ...event, ...(await markEvent(event.id, marks)) });
      setError(null);
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <div class="page detail">
      <DetailBar event={event} filter={filter} />
      <ErrorNote error={error} />
      <div class="detail-body">
        <div>
          {playing && event.video ? <EventVideo event={event} video={event.video} /> : <SnapshotOverlay event={event} overlay={overlay} />}
          <div class="bar">
            {event.video && <Button kind="main" icon={playing ? "camera" : "play"} testid="event-play"
              label={playing ? t("ev.snapshot") : t("ev.play")} onClick={() => setPlaying(!playing)} />}
            {!event.video && <span class="quiet">{t("ev.noVideo")}</span>}
            {!playing && <Check label={t("ev.overlay")} checked={overlay} onChange={setOverlay} />}
          </div>
        </div>
        <aside>
          <Facts event={event} />
          <div class="stack">
            <Button icon="lock" label={event.locked ? t("ev.unlock") : t("ev.lock")} onClick={() => void mark({ locked: !event.locked })} />
            <Button icon="cross" label={event.false ? t("ev.unmarkFalse") : t("ev.markFalse")} onClick={() => void mark({ false: !event.false })} />
            <Links event={event} />
          </div>
        </aside>
      </div>
    </div>
  );
}

function Links({ event }: { event: EventDetail }) {
  return (
    <>
      <a class="button" href={href("timeline", "", { at: rfc3339(parse(event.start)), camera: event.camera })}>
        <Icon name="timeline" /><span>{t("ev.timeline")}</span>
      </a>
      {event.video && <a class="button" download href={videoAddress(event.camera, event.video.from, event.video.to, undefined, true)}>
        <Icon name="exports" /><span>{t("act.download")}: {t("ev.video")}</span>
      </a>}
      {event.snapshot && <a class="button" download={`${event.camera}_${event.id}.jpg`} href={below(event.snapshot)}>
        <Icon name="camera" /><span>{t("act.download")}: {t("ev.snapshot")}</span>
      </a>}
    </>
  );
}

function EventVideo({ event, video }: { event: EventDetail; video: { from: string; to: string } }) {
  const player = usePlayer(parse(video.from), true);
  player.eager = true;
  player.until = parse(video.to);
  return (
    <>
      <PlayerTile player={player} camera={event.camera} />
      <SkipNote player={player} />
      <Controls player={player} />
    </>
  );
}

function Facts({ event }: { event: EventDetail }) {
  const rows: [string, string | null][] = [
    [t("ev.camera"), event.camera],
    [t("ev.kind"), kindText(event.kind)],
    [t("time.from"), instantText(event.start)],
    [t("time.to"), event.end ? instantText(event.end) : t("time.ongoing")],
    [t("ev.duration"), durationText(event)],
    [t("ev.score", { score: "" }).trim(), event.score ? event.score.toFixed(2) : null],
    [t("ev.zones"), event.zones.join(", ")],
    [t("ev.began"), event.began],
    [t("ev.ended"), event.ended],
    [t("ev.detail"), event.detail],
  ];
  return (
    <dl class="facts">
      {rows.filter(([, text]) => text).map(([name, text]) => [<dt key={`${name}-n`}>{name}</dt>, <dd key={name}>{text}</dd>])}
      {event.same_as && <><dt>{t("ev.sameAs")}</dt><dd><a href={href("events", event.same_as)}>{event.same_as}</a></dd></>}
    </dl>
  );
}

function DetailBar({ event, filter }: { event: EventDetail; filter: Filter }) {
  const around = useNeighbours(event, filter);
  const query = addressOf(filter);
  const link = (id: EventId | null, icon: "left" | "right", text: string) => id
    ? <a class="button" href={href("events", id, query)}><Icon name={icon} /><span>{text}</span></a>
    : <Button icon={icon} label={text} disabled />;
  return (
    <div class="bar">
      <a class="button" href={href("events", "", query)}><Icon name="events" /><span>{t("ev.title")}</span></a>
      <h1><i class="dot" style={{ background: labelColour(event.label) }} />{labelText(event.label)}</h1>
      {event.locked && <span class="chip good">{t("ev.locked")}</span>}
      {event.false && <span class="chip warn">{t("ev.false")}</span>}
      <span class="grow" />
      {link(around.newer, "left", t("ev.previous"))}
      {link(around.older, "right", t("ev.next"))}
    </div>
  );
}

/** The events beside this one in the same filter. */
function useNeighbours(event: EventDetail, filter: Filter): Around {
  const [around, set] = useState<Around>({ newer: null, older: null });
  useEffect(() => {
    let gone = false;
    void neighbours(event, filter).then((found) => !gone && set(found), () => undefined);
    return () => {
      gone = true;
    };
  }, [event.id]);
  return around;
}
