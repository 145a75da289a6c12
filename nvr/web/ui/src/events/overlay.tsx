/** The snapshot with the box of the object and the way it went. */

import { below } from "../api/client";
import type { EventDetail } from "../api/types";
import { labelColour } from "../colours";
import { labelText, t } from "../i18n";
import { useShape } from "../ui/shape";

export function SnapshotOverlay({ event, overlay }: { event: EventDetail; overlay: boolean }) {
  const picture = event.snapshot ?? event.thumbnail;
  const shape = useShape();
  return (
    <figure class="tile shaped" style={shape.style}>
      {picture ? <img src={below(picture)} alt={`${labelText(event.label)}, ${event.camera}`} onLoad={shape.onLoad} />
        : <div class="cover"><p>{t("ev.noPicture")}</p></div>}
      {overlay && picture && <Drawn event={event} aspect={shape.aspect} />}
    </figure>
  );
}

/** An object stands at the middle of its box's lower edge: there its way is drawn. */
function Drawn({ event, aspect }: { event: EventDetail; aspect: number }) {
  const colour = labelColour(event.label);
  const feet = (event.path ?? []).map(([, left, , right, bottom]) => [(left + right) / 2, bottom] as const);
  const last = feet[feet.length - 1];
  const box = event.box;
  return (
    <svg class="overlay" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true" data-testid="overlay">
      {feet.length > 1 && <polyline class="path-back" points={feet.map((foot) => foot.join(",")).join(" ")} />}
      {feet.length > 1 && <polyline class="path" stroke={colour} points={feet.map((foot) => foot.join(",")).join(" ")} />}
      {last && <ellipse cx={last[0]} cy={last[1]} rx="0.006" ry={0.006 * aspect} fill={colour} />}
      {box && <rect class="path-back" x={box[0]} y={box[1]} width={box[2] - box[0]} height={box[3] - box[1]} />}
      {box && <rect class="path" stroke={colour} x={box[0]} y={box[1]} width={box[2] - box[0]} height={box[3] - box[1]} />}
    </svg>
  );
}
