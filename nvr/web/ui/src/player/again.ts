/** When that which did not come is asked for again. */

import { ApiError, isAbort } from "../api/error";
import { serverNow } from "../clock";
import { SECOND } from "../time";

export const RETRY = 2 * SECOND;

/** Whether it may be better in a moment: the server was away or busy. */
export function passing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** A connection that is lost in the middle of an answer is no other error than one that was never made. */
export function lost(error: unknown): never {
  throw isAbort(error) ? error : new ApiError(0, "unreachable", "");
}

/** Whether what was recorded at an instant may only be on its way. */
export function isLate(at: number): boolean {
  return serverNow() - at < 90 * SECOND;
}

/** Tells once whether something goes on for too long, and then begins anew. */
export class Lasting {
  private since = 0;

  constructor(private readonly longest: number) {}

  tooLong(still: boolean): boolean {
    const now = performance.now();
    this.since = still ? this.since || now : 0;
    if (!still || now - this.since <= this.longest) return false;
    this.since = 0;
    return true;
  }
}

/** How long to wait before the end of what was recorded is looked at again. */
export function waitAtEnd(at: number): number {
  return isLate(at) ? RETRY : 10 * RETRY;
}
