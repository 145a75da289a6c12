/** The picture at the pointer, with what the ledger says about that moment. */

import { useEffect, useRef, useState } from "preact/hooks";
import { pictureAddress } from "../api/calls";
import { request } from "../api/client";
import { labelColour } from "../colours";
import { clockText, dateText, momentText } from "../format";
import { labelText, reasonText, t } from "../i18n";
import { clamp } from "../ranges";
import { rfc3339, SECOND } from "../time";
import { gapAt, marksNear, offAt, recordedAt, rowFor, type Row } from "./ledger";
import type { Scene } from "./paint";
import { span } from "./view";

export interface Hover {
  x: number;
  y: number;
  at: number;
  row: number;
}

const WIDTH = 240;

export function Preview({ hover, scene, width }: { hover: Hover; scene: Scene; width: number }) {
  const camera = hover.row >= 0 ? scene.cameras[hover.row] : (scene.watched[0] ?? scene.cameras[0]);
  const row = camera ? rowFor(scene.ledger, camera) : null;
  const has = row !== null && recordedAt(row, hover.at) !== null;
  const url = usePicture(camera ?? "", hover.at, has);
  const left = clamp(hover.x - WIDTH / 2, 0, Math.max(0, width - WIDTH));
  return (
    <div class="preview" style={{ left: `${left}px` }} role="status" data-testid="preview">
      {has && (url ? <img src={url} alt="" /> : <div class="preview-empty" />)}
      <p><strong>{camera}</strong> {dateText(hover.at)} {clockText(hover.at)}</p>
      {row && <p class="quiet">{words(row, hover.at)}</p>}
      {row && <Marks row={row} at={hover.at} scene={scene} width={width} />}
    </div>
  );
}

function Marks({ row, at, scene, width }: { row: Row; at: number; scene: Scene; width: number }) {
  const near = marksNear(row, at, (3 / Math.max(1, width)) * span(scene.view), scene.shown).slice(0, 3);
  return <>{near.map((mark) => (
    <p key={mark.id}><i class="dot" style={{ background: labelColour(mark.label) }} />{labelText(mark.label)} {clockText(mark.start)}</p>
  ))}</>;
}

function words(row: Row, at: number): string {
  const gap = gapAt(row, at);
  if (gap) {
    const why = reasonText(gap.reason, gap.meaning, gap.detail);
    const from = momentText(gap.start);
    return gap.open ? t("tl.openGap", { from, why }) : t("tl.gap", { from, to: momentText(gap.end), why });
  }
  const off = offAt(row, at);
  if (off) return t("tl.offSpan", { from: clockText(off.start), to: off.open ? "…" : clockText(off.end) });
  if (recordedAt(row, at)) return "";
  return at > Date.now() ? t("tl.notYet") : t("tl.unknown");
}

/** One request at a time; when it is done, the newest wish is next. The last picture stays until then. */
function usePicture(camera: string, at: number, wanted: boolean): string {
  const [url, setUrl] = useState("");
  const state = useRef({ busy: false, done: "", wish: "", address: "", gone: false });
  const second = Math.floor(at / SECOND) * SECOND;
  const one = state.current;
  one.wish = wanted ? `${camera} ${second}` : "";
  one.address = pictureAddress(camera, rfc3339(second), WIDTH);
  useEffect(() => {
    if (one.wish && one.wish !== one.done) void fetchNewest(one, setUrl);
  }, [one.wish]);
  useEffect(() => () => {
    one.gone = true;
  }, []);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return url;
}

async function fetchNewest(
  one: { busy: boolean; done: string; wish: string; address: string; gone: boolean }, show: (url: string) => void,
): Promise<void> {
  if (one.busy) return;
  one.busy = true;
  while (one.wish && one.wish !== one.done && !one.gone) {
    const wish = one.wish;
    try {
      const picture = await (await request(one.address)).blob();
      if (!one.gone) show(URL.createObjectURL(picture));
    } catch {
      // The words below the picture say what there is.
    }
    one.done = wish;
  }
  one.busy = false;
}
