/** Server-sent events; the browser reconnects by itself, unless the server said no. What was told meanwhile is lost. */

import { address } from "../api/client";
import { loadAccount } from "../session";
import type { NvrEvent } from "../api/types";

export function listenToEvents(cameras: string[], call: (event: NvrEvent, name: string) => void, missed: () => void): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout>;
  let lost = false;
  const open = () => {
    source = new EventSource(address("events/live", { camera: cameras }));
    for (const name of ["begin", "update", "end"]) {
      source.addEventListener(name, (message) => {
        try {
          call(JSON.parse((message as MessageEvent<string>).data) as NvrEvent, name);
        } catch {
          // A message that is none of ours is left out.
        }
      });
    }
    source.onopen = () => {
      if (lost) missed();
      lost = false;
    };
    source.onerror = () => {
      lost = true;
      if (source?.readyState !== EventSource.CLOSED) return;
      // It may have been a 401, which an EventSource does not tell: this asks.
      void loadAccount().catch(() => undefined);
      timer = setTimeout(open, 5000);
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
