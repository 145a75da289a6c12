/** The requests by name. */

import { address, get, send } from "./client";
import type {
  AuditEntry, Camera, EventDetail, EventId, EventPage, ExportJob, LedgerAnswer, Me, NvrEvent, Token, User, Why, Zones,
} from "./types";

const at = encodeURIComponent;

/** Some listings may come as a list or as an object that holds it. */
function listed<T>(answer: T[] | Record<string, unknown>, key: string): T[] {
  if (Array.isArray(answer)) return answer;
  const inner = answer[key];
  return Array.isArray(inner) ? (inner as T[]) : [];
}

export const login = (name: string, password: string) => send<Me>("POST", "login", { name, password });
export const setup = (link: string, password: string) => send<Me>("POST", "setup", { link, password });
export const logout = () => send<null>("POST", "logout");
export const me = () => get<Me>("me");
export const changePassword = (old: string, fresh: string) => send<null>("PUT", "me/password", { old, new: fresh });

export const tokens = async () => listed<Token>(await get<Token[]>("tokens"), "tokens");
export const addToken = (name: string) => send<Token>("POST", "tokens", { name });
export const dropToken = (id: string) => send<null>("DELETE", `tokens/${at(id)}`);

export const users = async () => listed<User>(await get<User[]>("users"), "users");
export const addUser = (user: object) => send<unknown>("POST", "users", user);
export const changeUser = (name: string, change: object) => send<unknown>("PATCH", `users/${at(name)}`, change);
export const dropUser = (name: string) => send<null>("DELETE", `users/${at(name)}`);
export const audit = (before: string | number | null) =>
  get<{ entries: AuditEntry[]; next: string | number | null }>("audit", { before, limit: 50 });

export const cameras = async () => listed<Camera>(await get<Camera[]>("cameras"), "cameras");
export const zones = (camera: string) => get<Zones>(`cameras/${at(camera)}/zones`);
export const saveZones = (camera: string, body: Zones) => send<Zones>("PUT", `cameras/${at(camera)}/zones`, body);
export const snapshotAddress = (camera: string, width?: number, salt?: number) =>
  address(`cameras/${at(camera)}/snapshot.jpg`, { width, t: salt });
export const mjpegAddress = (camera: string, width: number, fps: number) =>
  address(`cameras/${at(camera)}/live.mjpeg`, { width, fps });

export const ledger = (from: string, to: string, signal?: AbortSignal) =>
  get<LedgerAnswer>("ledger", { from, to }, signal);
export const why = (camera: string, instant: string, signal?: AbortSignal) =>
  get<Why>("why", { camera, at: instant }, signal);
export const videoAddress = (camera: string, from: string, to: string, origin?: string, download?: boolean) =>
  address(`cameras/${at(camera)}/video.mp4`, { from, to, origin, download: download ? 1 : undefined });
export const pictureAddress = (camera: string, instant: string, width: number, exact?: boolean) =>
  address(`cameras/${at(camera)}/picture.jpg`, { at: instant, width, exact: exact ? true : undefined });

export const events = (query: Record<string, string | string[] | number | null | undefined>, signal?: AbortSignal) =>
  get<EventPage>("events", query, signal);
export const eventLabels = () => get<{ labels: string[]; zones: string[] }>("events/labels");
export const event = (id: EventId) => get<EventDetail>(`events/${at(id)}`);
export const markEvent = (id: EventId, marks: { locked?: boolean; false?: boolean }) =>
  send<NvrEvent>("PATCH", `events/${at(id)}`, marks);

export const exportsList = async () => listed<ExportJob>(await get<ExportJob[]>("exports"), "exports");
export const beginExport = (camera: string, from: string, to: string) =>
  send<ExportJob>("POST", "exports", { camera, from, to });
export const dropExport = (id: string) => send<null>("DELETE", `exports/${at(id)}`);
