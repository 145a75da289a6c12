/** Draws the timeline. Reads colours from CSS, so that light and dark are said in one place. */

import { REASON_COLOURS, labelColour, reasonClass, type ReasonClass } from "../colours";
import { clockText, dateText } from "../format";
import { MINUTE, SECOND } from "../time";
import { exactRuns, pixelRuns } from "./bins";
import type { Layout } from "./layout";
import type { Ledger, Row } from "./ledger";
import { ticks, tickStep } from "./ticks";
import { toX, type View } from "./view";

export interface Palette {
  text: string;
  soft: string;
  line: string;
  row: string;
  chosen: string;
  recorded: string;
  off: string;
  head: string;
  now: string;
  mark: string;
}

export interface Scene {
  view: View;
  ledger: Ledger;
  cameras: string[];
  watched: readonly string[];
  head: number | null;
  now: number;
  marks: [number | null, number | null];
  shown: (label: string) => boolean;
}

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: read("text"), soft: read("soft"), line: read("line"), row: read("row"), chosen: read("row-chosen"),
    recorded: read("recorded"), off: read("off"), head: read("head"), now: read("now"), mark: read("mark"),
  };
}

export function paint(pen: CanvasRenderingContext2D, layout: Layout, scene: Scene, palette: Palette): void {
  pen.clearRect(0, 0, layout.width, layout.height);
  scene.cameras.forEach((camera, n) => {
    const top = layout.axis + n * layout.row;
    pen.fillStyle = scene.watched.includes(camera) ? palette.chosen : palette.row;
    pen.fillRect(0, top + 1, layout.width, layout.row - 2);
    const row = scene.ledger.rows.find((one) => one.camera === camera);
    if (row) paintRow(pen, layout, top, row, scene, palette);
  });
  paintAxis(pen, layout, scene.view, palette);
  scene.cameras.forEach((camera, n) => paintName(pen, layout.axis + n * layout.row, camera, palette));
  paintMarks(pen, layout, scene, palette);
  paintLine(pen, layout, toX(scene.view, scene.now, layout.width), palette.now, [3, 3]);
  if (scene.head !== null) paintHead(pen, layout, toX(scene.view, scene.head, layout.width), palette);
}

function paintRow(pen: CanvasRenderingContext2D, layout: Layout, top: number, row: Row, scene: Scene, palette: Palette): void {
  const { view } = scene;
  const width = layout.width;
  const bottom = top + layout.row - 5;
  const band = Math.round(layout.row * 0.3);
  pen.fillStyle = palette.off;
  for (const [x, w] of exactRuns(row.off, view, width)) pen.fillRect(x, bottom - band, w, band);
  pen.fillStyle = palette.recorded;
  for (const [x, w] of exactRuns(row.recorded, view, width)) pen.fillRect(x, bottom - band, w, band);
  const classes = new Map<ReasonClass, typeof row.gaps>();
  for (const gap of row.gaps) {
    const name = reasonClass(gap.reason);
    const list = classes.get(name);
    if (list) list.push(gap);
    else classes.set(name, [gap]);
  }
  for (const [name, gaps] of classes) {
    pen.fillStyle = hatch(pen, REASON_COLOURS[name]);
    // At least two pixels: a gap of a second must be seen in a view of a day.
    for (const [x, w] of pixelRuns(gaps, view, width, 2)) pen.fillRect(x, bottom - band, w, band);
  }
  paintEvents(pen, row, scene, width, top + 4, bottom - band - 2);
}

function paintEvents(pen: CanvasRenderingContext2D, row: Row, scene: Scene, width: number, top: number, bottom: number): void {
  const byLabel = new Map<string, typeof row.events>();
  for (const mark of row.events) {
    if (mark.end < scene.view.from || mark.start > scene.view.to || !scene.shown(mark.label)) continue;
    const list = byLabel.get(mark.label);
    if (list) list.push(mark);
    else byLabel.set(mark.label, [mark]);
  }
  const names = [...byLabel.keys()].sort();
  const lane = Math.max(3, Math.min(8, (bottom - top) / Math.max(1, names.length)));
  names.forEach((name, n) => {
    pen.fillStyle = labelColour(name);
    const y = bottom - lane - (n * lane) % Math.max(lane, bottom - top);
    for (const [x, w] of pixelRuns(byLabel.get(name)!, scene.view, width, 2)) pen.fillRect(x, y, w, lane - 1);
  });
}

const hatches = new Map<string, CanvasPattern>();

/** Slanted stripes, so that a gap is told from a recording without colour too. */
function hatch(pen: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
  const known = hatches.get(colour);
  if (known) return known;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const inner = tile.getContext("2d");
  if (!inner) return colour;
  inner.globalAlpha = 0.35;
  inner.fillStyle = colour;
  inner.fillRect(0, 0, 8, 8);
  inner.globalAlpha = 1;
  inner.strokeStyle = colour;
  inner.lineWidth = 2.5;
  for (const shift of [-8, 0, 8]) {
    inner.beginPath();
    inner.moveTo(shift, 8);
    inner.lineTo(shift + 8, 0);
    inner.stroke();
  }
  const made = pen.createPattern(tile, "repeat");
  if (!made) return colour;
  hatches.set(colour, made);
  return made;
}

function paintAxis(pen: CanvasRenderingContext2D, layout: Layout, view: View, palette: Palette): void {
  const step = tickStep(view, layout.width);
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (const tick of ticks(view, step)) {
    const x = Math.round(toX(view, tick.at, layout.width)) + 0.5;
    pen.fillStyle = tick.day ? palette.soft : palette.line;
    pen.fillRect(x - 0.5, layout.axis - 6, 1, layout.height - layout.axis + 6);
    pen.fillStyle = tick.day ? palette.text : palette.soft;
    pen.fillText(tickText(tick.at, tick.day, step), x + 4, layout.axis / 2);
  }
}

function tickText(at: number, day: boolean, step: number): string {
  if (day) return dateText(at);
  const text = clockText(at);
  if (step < SECOND) return `${text}.${Math.floor((at % 1000) / 100)}`;
  return step >= MINUTE ? text.slice(0, -3) : text;
}

function paintName(pen: CanvasRenderingContext2D, top: number, camera: string, palette: Palette): void {
  pen.font = "600 12px system-ui, sans-serif";
  pen.textBaseline = "top";
  const width = pen.measureText(camera).width;
  pen.globalAlpha = 0.82;
  pen.fillStyle = palette.row;
  pen.fillRect(2, top + 3, width + 8, 16);
  pen.globalAlpha = 1;
  pen.fillStyle = palette.text;
  pen.fillText(camera, 6, top + 5);
}

function paintMarks(pen: CanvasRenderingContext2D, layout: Layout, scene: Scene, palette: Palette): void {
  const [from, to] = scene.marks;
  if (from === null) return;
  const x = toX(scene.view, from, layout.width);
  const end = to === null ? x : toX(scene.view, to, layout.width);
  pen.fillStyle = palette.mark;
  pen.globalAlpha = 0.2;
  pen.fillRect(x, layout.axis, end - x, layout.height);
  pen.globalAlpha = 1;
  pen.fillRect(x - 1, layout.axis - 8, 2, layout.height);
  if (to !== null) pen.fillRect(end - 1, layout.axis - 8, 2, layout.height);
}

function paintLine(pen: CanvasRenderingContext2D, layout: Layout, x: number, colour: string, dash: number[]): void {
  if (x < 0 || x > layout.width) return;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x, 4);
  pen.lineTo(x, layout.height);
  pen.stroke();
  pen.setLineDash([]);
}

function paintHead(pen: CanvasRenderingContext2D, layout: Layout, x: number, palette: Palette): void {
  paintLine(pen, layout, x, palette.head, []);
  if (x < 0 || x > layout.width) return;
  pen.fillStyle = palette.head;
  pen.beginPath();
  pen.moveTo(x - 6, 0);
  pen.lineTo(x + 6, 0);
  pen.lineTo(x, 9);
  pen.fill();
}
