/** What the HTTP API answers, as docs/api.md says it. Instants are RFC 3339 texts. */

export type Role = "admin" | "viewer";

export interface Me {
  name: string;
  role: Role;
  cameras: string[] | null;
  csrf: string;
}

export interface StreamInfo {
  stream: "main" | "sub";
  codec: string;
  mime: string;
  width: number;
  height: number;
}

export interface Camera {
  camera: string;
  state: string;
  fps: number | null;
  bitrate: number | null;
  frame_age: number | null;
  last_error: string | null;
  record: string;
  detect: string;
  streams: StreamInfo[];
  picture: boolean;
}

export type Point = [number, number];

/** A zone or a line; keys that this page does not know stay as they came. */
export interface Shape {
  name: string;
  points: Point[];
  [key: string]: unknown;
}

export interface Zones {
  zones: Shape[];
  lines: Shape[];
  masks: Point[][];
  restart?: string | null;
}

export interface LedgerCamera {
  camera: string;
  recorded: [number, number | null][];
  gaps: [number, number | null, string, string, string | null][];
  off: [number, number | null, string | null][];
  events: [EventId, number, number | null, number, boolean][];
}

export interface LedgerAnswer {
  from: string;
  to: string;
  labels: string[];
  cameras: LedgerCamera[];
}

export interface Why {
  camera: string;
  at: string;
  kind: string;
  start: string | null;
  end: string | null;
  reason: string | null;
  meaning: string | null;
  detail: string | null;
  path: string | null;
}

/** A number on the wire; a text where it came by an address. Compared by `sameId`. */
export type EventId = number | string;

export interface NvrEvent {
  id: EventId;
  camera: string;
  kind: string;
  label: string;
  start: string;
  end: string | null;
  score: number | null;
  zones: string[];
  snapshot: string | null;
  thumbnail: string | null;
  locked: boolean;
  false: boolean;
  began: string | null;
  ended: string | null;
  detail: string | null;
  box: [number, number, number, number] | null;
  same_as?: EventId | null;
  also?: unknown;
}

export type PathPoint = [string, number, number, number, number];

export interface EventDetail extends NvrEvent {
  path: PathPoint[];
  video: { from: string; to: string } | null;
}

export interface EventPage {
  events: NvrEvent[];
  next: string | null;
}

export interface ExportJob {
  id: string;
  camera: string;
  from: string;
  to: string;
  state: "waiting" | "copying" | "done" | "failed";
  progress: number;
  error: string | null;
  files: { name: string; bytes: number; start: string; end: string; url: string }[];
  gaps: { start: string; end: string | null; reason: string; meaning: string }[];
  notes: string[] | string | null;
  created: string;
}

export interface Token {
  id: string;
  name: string;
  created: string;
  used: string | null;
  token?: string;
}

export interface User {
  name: string;
  role: Role;
  cameras: string[] | null;
  created: string;
  /** Whether it has a password; without one its one-time link was not used yet. */
  active: boolean;
}

export interface AuditEntry {
  number: number;
  at: string;
  user: string | null;
  address: string | null;
  action: string;
  camera: string | null;
  start: string | null;
  end: string | null;
}
