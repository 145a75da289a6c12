/** Spans on a line: [start, end] in any one unit, sorted and apart unless said otherwise. */

export type Span = [number, number];

/** The place of the last item that starts at or before x, or -1. */
export function lastAtOrBefore<T>(items: readonly T[], start: (item: T) => number, x: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (start(items[middle]) <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The span that holds x (its end is not part of it), or null. */
export function holding(spans: readonly Span[], x: number): Span | null {
  const found = spans[lastAtOrBefore(spans, (span) => span[0], x)];
  return found && x < found[1] ? found : null;
}

/** Where the next span begins, at or after x; x itself inside a span; null behind the last. */
export function nextInside(spans: readonly Span[], x: number): number | null {
  if (holding(spans, x)) return x;
  const next = spans[lastAtOrBefore(spans, (span) => span[0], x) + 1];
  return next ? next[0] : null;
}

/** Joins spans that touch or lie nearer than `apart`; takes them in any order. */
export function merged(spans: readonly Span[], apart = 0): Span[] {
  const sorted = [...spans].sort((a, b) => a[0] - b[0]);
  const out: Span[] = [];
  for (const [start, end] of sorted) {
    const last = out[out.length - 1];
    if (last && start <= last[1] + apart) last[1] = Math.max(last[1], end);
    else out.push([start, end]);
  }
  return out;
}

export function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}

/** TimeRanges of a media element as spans. */
export function spansOf(ranges: TimeRanges): Span[] {
  return Array.from({ length: ranges.length }, (_, i): Span => [ranges.start(i), ranges.end(i)]);
}
