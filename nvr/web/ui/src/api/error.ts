/** An answer of the server that is no success, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** With `nothing_recorded`: the instant from which on there is video. */
    readonly next: string | null = null,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Reads an error out of a body that may be JSON of ours, of a proxy in between, or no JSON at all. */
export function errorFrom(status: number, body: string, retryAfter: string | null = null): ApiError {
  const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  try {
    const told = JSON.parse(body) as Record<string, unknown>;
    const error = (told.error ?? {}) as Record<string, unknown>;
    const next = error.next ?? told.next;
    if (typeof error.message === "string") {
      const code = typeof error.code === "string" ? error.code : `http_${status}`;
      return new ApiError(status, code, error.message, typeof next === "string" ? next : null, seconds);
    }
  } catch {
    // Not JSON: said below.
  }
  return new ApiError(status, `http_${status}`, `HTTP ${status}`, null, seconds);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
