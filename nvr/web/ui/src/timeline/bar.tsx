/** Above the canvas: the day, the zoom and the way to now. */

import { serverNow } from "../clock";
import { offsetAt, dayOf, dayStart, dayText, nextDay, DAY, HOUR, MINUTE } from "../time";
import { t } from "../i18n";
import { DayInput } from "../ui/day";
import { Button } from "../ui/parts";
import { anchorOf } from "./state";
import { centred, span, zoomed, type View } from "./view";

interface Props {
  view: View;
  at: number;
  onView: (view: View) => void;
  onNow: () => void;
  onHelp: () => void;
}

export function TimelineBar({ view, at, onView, onNow, onHelp }: Props) {
  const middle = (view.from + view.to) / 2;
  const showDay = (start: number) => onView({ from: start, to: nextDay(start) });
  const anchor = anchorOf(view, at);
  return (
    <div class="bar" role="toolbar" aria-label={t("tl.title")}>
      <div class="group">
        <Button icon="left" bare label={t("time.previousDay")} onClick={() => showDay(nextDay(dayStart(middle), -1))} />
        <DayInput label={t("time.day")} value={dayText(middle)} max={dayText(serverNow())}
          onDay={(day) => day && showDay(dayOf(day))} />
        <Button icon="right" bare label={t("time.nextDay")} onClick={() => showDay(nextDay(dayStart(middle)))} />
        <Button label={t("time.now")} onClick={onNow} />
      </div>
      <div class="group wide-only">
        {([["tl.spanWeek", 7 * DAY], ["tl.spanDay", DAY], ["tl.spanHour", HOUR], ["tl.spanMinute", MINUTE]] as const).map(
          ([key, length]) => <Button key={key} label={t(key)} pressed={Math.abs(span(view) / length - 1) < 0.05}
            onClick={() => onView(centred(view, anchor, length))} />)}
      </div>
      <div class="group">
        <Button icon="minus" bare label={t("tl.zoomOut")} onClick={() => onView(zoomed(view, anchor, 2))} />
        <Button icon="plus" bare label={t("tl.zoomIn")} onClick={() => onView(zoomed(view, anchor, 0.5))} />
      </div>
      <span class="quiet">{t("time.zone", { offset: offsetAt(middle) })}</span>
      <span class="grow" />
      <span class="wide-only"><Button icon="keyboard" bare label={t("tl.keys")} onClick={onHelp} /></span>
    </div>
  );
}
