/** The page shown is in the hash: #/page/argument?key=value. */

import { useEffect, useState } from "preact/hooks";

export interface Route {
  page: string;
  arg: string;
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const [page = "", ...rest] = path.split("/");
  return { page: page || "live", arg: decode(rest.join("/")), query: new URLSearchParams(query) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function href(page: string, arg: string | number = "", query: Record<string, string | string[] | null | undefined> = {}): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (!value) continue;
    for (const one of Array.isArray(value) ? value : [value]) parts.append(key, one);
  }
  // Colons are allowed in a fragment and make instants readable.
  const text = parts.toString().replaceAll("%3A", ":");
  return `#/${page}${arg === "" ? "" : `/${encodeURIComponent(arg)}`}${text ? `?${text}` : ""}`;
}

export function go(to: string): void {
  location.hash = to;
}

/** Safari takes a hundred changes in half a minute. */
const BETWEEN = 1000;
let replaced = -BETWEEN;
let wait: ReturnType<typeof setTimeout>;

/** Changes the address without a new entry in the history and without a `hashchange`: soon, unless one goes elsewhere. */
export function replaceAddress(to: string): void {
  clearTimeout(wait);
  const here = location.hash;
  if (here === to) return;
  const left = replaced + BETWEEN - performance.now();
  if (left > 0) {
    wait = setTimeout(() => location.hash === here && replaceAddress(to), left);
    return;
  }
  replaced = performance.now();
  try {
    history.replaceState(null, "", to);
  } catch {
    // The browser has had enough for a while; the next change tells it.
  }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
