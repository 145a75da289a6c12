/** Zones, lines and masks while they are edited. Pure. */

import type { Point, Shape, Zones } from "../api/types";
import { clamp } from "../ranges";

export type Kind = "zones" | "lines" | "masks";

export interface Item {
  /** For this page only: names may change or be the same for a while. */
  key: number;
  kind: Kind;
  name: string;
  points: Point[];
  /** What the server said of it beside name and points; goes back as it came. */
  rest: Record<string, unknown>;
}

/** Of the drawing in its own units, of which points are fractions: the longer side is the same in any shape of picture. */
export interface Size {
  width: number;
  height: number;
}

export function sizeOf(aspect: number): Size {
  return { width: 1600 * Math.min(1, aspect), height: 1600 / Math.max(1, aspect) };
}

let keys = 0;

export function itemsOf(told: Zones): Item[] {
  const shape = (kind: Kind) => ({ name, points, ...rest }: Shape): Item => ({ key: ++keys, kind, name, points, rest });
  return [
    ...told.zones.map(shape("zones")),
    ...told.lines.map(shape("lines")),
    ...told.masks.map((points): Item => ({ key: ++keys, kind: "masks", name: "", points, rest: {} })),
  ];
}

export function zonesOf(items: readonly Item[]): Zones {
  const of = (kind: Kind) => items.filter((item) => item.kind === kind);
  const shape = ({ name, points, rest }: Item): Shape => ({ ...rest, name, points });
  return { zones: of("zones").map(shape), lines: of("lines").map(shape), masks: of("masks").map((item) => item.points) };
}

export function fresh(kind: Kind, names: readonly string[]): Item {
  const points: Point[] = kind === "lines" ? [[0.3, 0.6], [0.7, 0.6]] : [[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]];
  const stem = kind === "lines" ? "line" : "zone";
  let n = 1;
  while (names.includes(`${stem}${n}`)) n++;
  return { key: ++keys, kind, name: kind === "masks" ? "" : `${stem}${n}`, points, rest: {} };
}

/** Within the picture, and no finer than a picture of 8k needs. */
export function tidy([x, y]: Point): Point {
  const fine = (value: number) => Math.round(clamp(value, 0, 1) * 10_000) / 10_000;
  return [fine(x), fine(y)];
}

export function least(kind: Kind): number {
  return kind === "lines" ? 2 : 3;
}

export function withPointMoved(item: Item, n: number, to: Point): Item {
  return { ...item, points: item.points.map((point, place) => (place === n ? tidy(to) : point)) };
}

/** A new point in the middle of the edge behind point n, or where it is told. */
export function withPointAfter(item: Item, n: number, at?: Point): Item {
  const a = item.points[n];
  const b = item.points[n + 1] ?? (item.kind === "lines" ? item.points[n - 1] : item.points[0]);
  const point = at ?? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return { ...item, points: [...item.points.slice(0, n + 1), tidy(point), ...item.points.slice(n + 1)] };
}

export function withoutPoint(item: Item, n: number): Item {
  if (item.points.length <= least(item.kind)) return item;
  return { ...item, points: item.points.filter((_, place) => place !== n) };
}

export function edges(item: Item): [Point, Point][] {
  const last = item.kind === "lines" ? item.points.length - 1 : item.points.length;
  return Array.from({ length: last }, (_, n) => [item.points[n], item.points[(n + 1) % item.points.length]]);
}

/** The place of the edge that is nearest to a point. */
export function nearestEdge(item: Item, [x, y]: Point): number {
  let best = 0;
  let least = Infinity;
  edges(item).forEach(([[ax, ay], [bx, by]], n) => {
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const share = length ? clamp(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1) : 0;
    const apart = Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay));
    if (apart < least) [best, least] = [n, apart];
  });
  return best;
}

function side([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
}

function cross([a, b]: [Point, Point], [c, d]: [Point, Point]): boolean {
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

export function crossesItself(item: Item): boolean {
  if (item.kind === "lines") return false;
  const all = edges(item);
  return all.some((one, n) => all.some((other, m) => m > n && cross(one, other)));
}

export type Problem = { what: "few" | "crossing" | "unnamed" | "twice"; item: Item };

export function problems(items: readonly Item[]): Problem[] {
  const out: Problem[] = [];
  const seen = new Set<string>();
  for (const item of items) {
    if (item.points.length < least(item.kind)) out.push({ what: "few", item });
    if (crossesItself(item)) out.push({ what: "crossing", item });
    if (item.kind === "masks") continue;
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(item.name)) out.push({ what: "unnamed", item });
    const key = `${item.kind} ${item.name}`;
    if (seen.has(key)) out.push({ what: "twice", item });
    seen.add(key);
  }
  return out;
}

/** "In" is from left to right of who walks along the points: down of who walks to the right in a picture. */
export function arrowOf(item: Item, aspect: number): { from: Point; to: Point } {
  const middle = Math.floor((item.points.length - 1) / 2);
  const a = item.points[middle];
  const b = item.points[middle + 1];
  const [dx, dy] = [(b[0] - a[0]) * aspect, b[1] - a[1]];
  const length = Math.hypot(dx, dy) || 1;
  const centre: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const size = 0.1;
  return { from: centre, to: [centre[0] + ((-dy / length) * size) / aspect, centre[1] + (dx / length) * size] };
}
