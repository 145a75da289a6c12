/** Instants in this page are milliseconds since 1970 (fractions allowed); text appears only at the edges. */

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Reads RFC 3339 with up to microseconds; NaN where it is none. */
export function parse(text: string): number {
  const found = RFC3339.exec(text);
  if (!found) return Number.NaN;
  const whole = Date.parse(`${found[1]}T${found[2]}${found[4].toUpperCase()}`);
  return whole + (found[3] ? Number(`0${found[3]}`) * 1000 : 0);
}

/** RFC 3339 in UTC with six digits. Rounded down, so that an instant is never asked for before it was. */
export function rfc3339(ms: number): string {
  const whole = Math.floor(ms / 1000) * 1000;
  const micros = Math.min(999_999, Math.max(0, Math.round((ms - whole) * 1000)));
  return `${new Date(whole).toISOString().slice(0, 19)}.${String(micros).padStart(6, "0")}Z`;
}

/** Local midnight before an instant; days of 23 and 25 hours are Date's business. */
export function dayStart(ms: number): number {
  const day = new Date(ms);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
}

export function nextDay(ms: number, days = 1): number {
  const day = new Date(ms);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days).getTime();
}

/** `2026-11-28` of an instant, for <input type=date>. */
export function dayText(ms: number): string {
  const day = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

export function dayOf(text: string): number {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  return found ? new Date(Number(found[1]), Number(found[2]) - 1, Number(found[3])).getTime() : Number.NaN;
}

/** `+01:00` of minutes east of Greenwich. */
export function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
}

export function offsetAt(ms: number): string {
  return offsetText(-new Date(ms).getTimezoneOffset());
}

/** What is longer: says a span in the largest units that matter, `1:02:03` or `0:05`. */
export function spanText(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
