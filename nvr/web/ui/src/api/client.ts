/** One place through which every request goes: address, login, CSRF and errors. */

import { noteDate } from "../clock";
import { ApiError, errorFrom, isAbort } from "./error";

export const BASE = "/api/v1";

type Query = Record<string, string | number | boolean | null | undefined | string[]>;

let csrf = "";
let onLoggedOut: () => void = () => undefined;
let renewCsrf: () => Promise<void> = async () => undefined;

export function setCsrf(value: string): void {
  csrf = value;
}

export function whenLoggedOut(call: () => void): void {
  onLoggedOut = call;
}

/** What gets another `csrf`: a login in another tab makes the one of this tab worthless. */
export function whenCsrfIsOld(call: () => Promise<void>): void {
  renewCsrf = call;
}

/** The address of something below the API; a list becomes a repeated parameter, nothing is left out. */
export function address(path: string, query: Query = {}): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [String(value)]) parts.append(key, one);
  }
  const text = parts.toString();
  return `${BASE}/${path}${text ? `?${text}` : ""}`;
}

/** The server says `events/…` or `/api/v1/events/…` for a picture: both are understood. */
export function below(path: string): string {
  if (path.startsWith(BASE)) return path;
  return `${BASE}/${path.replace(/^\/+/, "")}`;
}

/** A request whose answer is good; anything else is thrown as ApiError (or AbortError). */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  const asked = Date.now();
  try {
    answer = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, "unreachable", "");
  }
  // Pictures may come from the browser's own store, with the date of when they were put there.
  if (answer.headers.get("Content-Type")?.startsWith("application/json")) noteDate(answer.headers.get("Date"), asked);
  if (answer.ok) return answer;
  const error = errorFrom(answer.status, await answer.text(), answer.headers.get("Retry-After"));
  // A wrong password is no lost session.
  if (error.status === 401 && error.code !== "wrong_login") onLoggedOut();
  throw error;
}

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return (await (await request(address(path, query), { signal })).json()) as T;
}

export async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const ask = () => {
    const headers: Record<string, string> = { "X-NVR-CSRF": csrf };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return request(address(path), { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  };
  const answer = await ask().catch(async (error: unknown) => {
    if (!(error instanceof ApiError && error.status === 403 && error.code === "csrf")) throw error;
    await renewCsrf();
    return ask();
  });
  const text = await answer.text();
  return (text ? JSON.parse(text) : null) as T;
}

export function socketAddress(path: string, query: Query = {}): string {
  return new URL(address(path, query), location.href).href.replace(/^http/, "ws");
}
