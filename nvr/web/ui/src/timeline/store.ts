/** Fetches the ledger for what is shown and somewhat more, so that small moves need no request. */

import { ledger as ask } from "../api/calls";
import { isAbort } from "../api/error";
import { serverNow } from "../clock";
import { clamp } from "../ranges";
import { DAY, MINUTE, SECOND, rfc3339 } from "../time";
import { EMPTY, ledgerOf, type Ledger } from "./ledger";
import { span, type View } from "./view";

const OFTEN = 5 * SECOND;

/** How old what is shown may become: in a long view nothing is seen of a few seconds, and much is to be asked for. */
export function staleAfter(view: View): number {
  return clamp(span(view) / 720, OFTEN, MINUTE);
}

export class LedgerStore {
  current: Ledger = EMPTY;
  error: unknown = null;
  loading = false;
  private view: View = { from: 0, to: 0 };
  private abort: AbortController | null = null;
  private asked = 0;
  private wait = 0;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(private readonly changed: () => void) {
    this.timer = setInterval(this.refresh, OFTEN);
    document.addEventListener("visibilitychange", this.refresh);
  }

  private readonly refresh = (): void => {
    if (document.hidden || this.loading || this.view.to < serverNow() - MINUTE) return;
    // The clock of the refresh ticks a little unevenly.
    if (this.error || performance.now() - this.asked > staleAfter(this.view) - SECOND) void this.load();
  };

  show(view: View): void {
    this.view = view;
    const has = this.current.from <= view.from && view.to <= this.current.to;
    if (has) return;
    // Not at every pixel of a drag; the first time at once.
    clearTimeout(this.wait);
    this.wait = setTimeout(() => void this.load(), this.current === EMPTY ? 0 : 120) as unknown as number;
  }

  async load(): Promise<void> {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    const room = Math.min(Math.max(span(this.view), 10 * MINUTE), 4 * DAY);
    const from = this.view.from - room;
    const to = this.view.to + room;
    this.asked = performance.now();
    this.loading = true;
    this.changed();
    try {
      const answer = await ask(rfc3339(from), rfc3339(to), abort.signal);
      this.current = ledgerOf(answer, serverNow());
      this.error = null;
    } catch (error) {
      if (isAbort(error)) return;
      this.error = error;
    }
    if (this.abort === abort) this.loading = false;
    this.changed();
  }

  close(): void {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.refresh);
    clearTimeout(this.wait);
    this.abort?.abort();
  }
}
