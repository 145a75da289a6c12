/** Instants and amounts as people read them, in the browser's time zone and the chosen language. */

import { locale, refusalText, t } from "./i18n";
import { ApiError } from "./api/error";
import { serverNow } from "./clock";
import { dayStart, offsetAt, parse } from "./time";

const made = new Map<string, Intl.DateTimeFormat>();

function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale() + JSON.stringify(options);
  let found = made.get(key);
  if (!found) made.set(key, (found = new Intl.DateTimeFormat(locale(), options)));
  return found;
}

/** `14:02:10`, always of 24 hours: a log is compared with it. */
export function clockText(ms: number): string {
  return formatter({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(ms);
}

export function dateText(ms: number): string {
  return formatter({ weekday: "short", day: "numeric", month: "short" }).format(ms);
}

export function dateTimeText(ms: number): string {
  return formatter({
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  }).format(ms);
}

/** The time alone where it is of today, or with its day. */
export function momentText(ms: number): string {
  return dayStart(ms) === dayStart(serverNow()) ? clockText(ms) : `${dateText(ms)} ${clockText(ms)}`;
}

/** The burned-in clock: date, time with tenths, and the offset, so that the repeated hour in autumn is told apart. */
export function fullClock(ms: number): string {
  const tenths = Math.floor((((ms % 1000) + 1000) % 1000) / 100);
  return `${dateText(ms)} ${clockText(ms)}.${tenths} ${t("time.zone", { offset: offsetAt(ms) })}`;
}

export function instantText(text: string | null): string {
  if (!text) return "";
  const ms = parse(text);
  return Number.isNaN(ms) ? text : dateTimeText(ms);
}

export function bytesText(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  return new Intl.NumberFormat(locale(), {
    style: "unit", unit: units[power], maximumFractionDigits: power ? 1 : 0, unitDisplay: "short",
  }).format(bytes / 1000 ** power);
}

export function secondsText(seconds: number): string {
  return new Intl.NumberFormat(locale(), {
    style: "unit", unit: "second", unitDisplay: "narrow", maximumFractionDigits: seconds < 10 ? 1 : 0,
  }).format(seconds);
}

export function errorText(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 0) return t("error.unreachable");
    const wait = error.retryAfter !== null ? ` ${t("error.retryAfter", { seconds: error.retryAfter })}` : "";
    return refusalText(error.code, error.message) + wait;
  }
  return t("error.unknown", { message: error instanceof Error ? error.message : String(error) });
}

/** Keeps what a file name may hold everywhere. */
export function fileInstant(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replaceAll(":", "-");
}
