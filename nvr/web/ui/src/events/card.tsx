/** One event in the gallery. */

import { below } from "../api/client";
import type { NvrEvent } from "../api/types";
import { labelColour } from "../colours";
import { clockText, dateText } from "../format";
import { Icon } from "../icons";
import { kindText, labelText, t } from "../i18n";
import { href } from "../route";
import { parse, SECOND, spanText } from "../time";

export function durationText(event: NvrEvent): string {
  if (event.end === null) return t("time.ongoing");
  return spanText((parse(event.end) - parse(event.start)) / SECOND);
}

export function EventCard({ event, fresh, query }: { event: NvrEvent; fresh: boolean; query: Record<string, string | string[]> }) {
  const picture = event.thumbnail ?? event.snapshot;
  const start = parse(event.start);
  return (
    <a class={`card ${event.false ? "faded" : ""}`} href={href("events", event.id, query)} data-event={event.id}>
      <div class="card-picture">
        {picture ? <img src={below(picture)} alt="" loading="lazy" decoding="async" /> : <span class="quiet">{t("ev.noPicture")}</span>}
        {fresh && <span class="chip good">{t("ev.isNew")}</span>}
        {event.end === null && <span class="chip bad">{t("time.ongoing")}</span>}
      </div>
      <div class="card-text">
        <p class="card-head">
          <i class="dot" style={{ background: labelColour(event.label) }} />
          <strong>{labelText(event.label)}</strong>
          {event.kind !== "object" && event.kind !== event.label && <span class="quiet">{kindText(event.kind)}</span>}
          <span class="grow" />
          {event.locked && <span title={t("ev.locked")} aria-label={t("ev.locked")} role="img"><Icon name="lock" size={15} /></span>}
          {event.false && <span class="chip warn">{t("ev.false")}</span>}
        </p>
        <p>{event.camera} · {dateText(start)} {clockText(start)}</p>
        <p class="quiet">
          {durationText(event)}
          {!!event.score && ` · ${t("ev.score", { score: event.score.toFixed(2) })}`}
          {event.zones.length > 0 && ` · ${event.zones.join(", ")}`}
        </p>
      </div>
    </a>
  );
}
