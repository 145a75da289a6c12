/** Server-sent events; the browser reconnects by itself, unless the server said no. */

import { address } from "../api/client";
import { loadAccount } from "../session";
import type { NvrEvent } from "../api/types";

export function listenToEvents(cameras: string[], call: (event: NvrEvent, name: string) => void): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout>;
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
    source.onerror = () => {
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
