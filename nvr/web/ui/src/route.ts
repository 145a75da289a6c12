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

/** Changes the address without a new entry in the history and without a `hashchange`. */
export function replaceAddress(to: string): void {
  if (location.hash !== to) history.replaceState(null, "", to);
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
