/** Who is logged in, and where to go back to after a login. */

import { me } from "./api/calls";
import { setCsrf } from "./api/client";
import type { Me } from "./api/types";

let now: Me | null = null;
let wanted = "";
const listeners = new Set<() => void>();

export function account(): Me | null {
  return now;
}

export function isAdmin(): boolean {
  return now?.role === "admin";
}

export function setAccount(value: Me | null): void {
  now = value;
  setCsrf(value?.csrf ?? "");
  for (const call of listeners) call();
}

export function onAccount(call: () => void): () => void {
  listeners.add(call);
  return () => listeners.delete(call);
}

export async function loadAccount(): Promise<void> {
  setAccount(await me());
}

/** Any 401 comes here: remembers the page and asks for a login. */
export function leaveForLogin(): void {
  if (/^#\/(login|setup)/.test(location.hash)) return;
  wanted = location.hash;
  setAccount(null);
  location.hash = "#/login";
}

export function returnFromLogin(): void {
  location.hash = wanted || "#/live";
  wanted = "";
}
