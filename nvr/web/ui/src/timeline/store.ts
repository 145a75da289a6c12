/** Fetches the ledger for what is shown and somewhat more, so that small moves need no request. */

import { ledger as ask } from "../api/calls";
import { isAbort } from "../api/error";
import { DAY, MINUTE, SECOND, rfc3339 } from "../time";
import { EMPTY, ledgerOf, type Ledger } from "./ledger";
import { span, type View } from "./view";

const REFRESH = 5 * SECOND;

export class LedgerStore {
  current: Ledger = EMPTY;
  error: unknown = null;
  loading = false;
  private view: View = { from: 0, to: 0 };
  private abort: AbortController | null = null;
  private wait = 0;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(private readonly changed: () => void) {
    this.timer = setInterval(() => {
      if (!document.hidden && this.view.to >= Date.now() - MINUTE && !this.loading) void this.load();
    }, REFRESH);
  }

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
    this.loading = true;
    this.changed();
    try {
      const answer = await ask(rfc3339(from), rfc3339(to), abort.signal);
      this.current = ledgerOf(answer, Date.now());
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
    clearTimeout(this.wait);
    this.abort?.abort();
  }
}
