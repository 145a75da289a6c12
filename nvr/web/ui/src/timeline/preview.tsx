/** The picture at the pointer, with what the ledger says about that moment. */

import { useEffect, useRef, useState } from "preact/hooks";
import { pictureAddress } from "../api/calls";
import { request } from "../api/client";
import { serverNow } from "../clock";
import { labelColour } from "../colours";
import { clockText, dateText } from "../format";
import { labelText, t } from "../i18n";
import { clamp } from "../ranges";
import { rfc3339, SECOND } from "../time";
import { gapAt, marksNear, offAt, recordedAt, rowFor, type Ledger, type Row } from "./ledger";
import type { Scene } from "./paint";
import { span } from "./view";
import { gapWords, offWords } from "./words";

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
    <div class="preview" style={{ left: `${left}px` }} data-testid="preview">
      {has && (url ? <img src={url} alt="" /> : <div class="preview-empty" />)}
      <p><strong>{camera}</strong> {dateText(hover.at)} {clockText(hover.at)}</p>
      {row && <p class="quiet">{words(scene.ledger, row, hover.at)}</p>}
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

function words(ledger: Ledger, row: Row, at: number): string {
  const gap = gapAt(row, at);
  if (gap) return gapWords(ledger, gap);
  const off = offAt(row, at);
  if (off) return offWords(ledger, off);
  if (recordedAt(row, at)) return "";
  return at > serverNow() ? t("tl.notYet") : t("tl.unknown");
}

interface Wanted {
  busy: boolean;
  done: string;
  wish: string;
  camera: string;
  address: string;
  gone: boolean;
}

/** One request at a time; when it is done, the newest wish is next. The camera's last picture stays until then. */
function usePicture(camera: string, at: number, wanted: boolean): string {
  const [{ of, url }, setPicture] = useState({ of: "", url: "" });
  const state = useRef<Wanted>({ busy: false, done: "", wish: "", camera: "", address: "", gone: false });
  const second = Math.floor(at / SECOND) * SECOND;
  const one = state.current;
  one.wish = wanted ? `${camera} ${second}` : "";
  one.camera = camera;
  one.address = pictureAddress(camera, rfc3339(second), WIDTH);
  useEffect(() => {
    if (one.wish && one.wish !== one.done) void fetchNewest(one, (of, url) => setPicture({ of, url }));
  }, [one.wish]);
  useEffect(() => () => {
    one.gone = true;
  }, []);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return of === camera ? url : "";
}

async function fetchNewest(one: Wanted, show: (camera: string, url: string) => void): Promise<void> {
  if (one.busy) return;
  one.busy = true;
  while (one.wish && one.wish !== one.done && !one.gone) {
    const { wish, camera } = one;
    try {
      const picture = await (await request(one.address)).blob();
      if (!one.gone) show(camera, URL.createObjectURL(picture));
    } catch {
      // The words say what there is; an older picture would be of another moment.
      if (!one.gone) show(camera, "");
    }
    one.done = wish;
  }
  one.busy = false;
}
