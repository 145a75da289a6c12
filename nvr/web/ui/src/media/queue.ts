/** A SourceBuffer takes one operation at a time: this keeps them in order and makes room when it is full. */

type Work = () => void;

export class BufferQueue {
  private readonly waiting: Work[] = [];
  private closed = false;
  private full = false;

  constructor(
    readonly buffer: SourceBuffer,
    /** Called while the buffer is full, to say what may go: [start, end] or null. */
    private readonly spare: () => [number, number] | null,
    private readonly onError: (error: unknown) => void,
    private readonly onIdle: () => void = () => undefined,
  ) {
    buffer.addEventListener("updateend", this.next);
    buffer.addEventListener("error", this.failed);
  }

  get length(): number {
    return this.waiting.length;
  }

  /** Whether what waits has no room before something goes. */
  get isFull(): boolean {
    return this.full;
  }

  append(data: BufferSource): void {
    this.push(() => this.tryAppend(data));
  }

  remove(start: number, end: number): void {
    if (end > start) this.push(() => this.buffer.remove(start, end));
  }

  offset(seconds: number): void {
    this.push(() => (this.buffer.timestampOffset = seconds));
  }

  changeType(mime: string): void {
    this.push(() => this.buffer.changeType(mime));
  }

  /** Forgets what was half appended, once all that waits is in. */
  breakOff(): void {
    this.push(() => this.buffer.abort());
  }

  /** To be called now and then: what was played since the buffer was full may go. */
  makeRoom(): void {
    const room = this.full && !this.buffer.updating ? this.spare() : null;
    if (room) this.buffer.remove(room[0], room[1]);
  }

  /** Forgets what waits and what was half appended: the next append begins with an initialisation segment. */
  reset(): void {
    this.waiting.length = 0;
    this.full = false;
    try {
      this.buffer.abort();
    } catch {
      // A removal runs (or the source has ended): the parser is reset right after it.
      this.waiting.push(() => this.buffer.abort());
    }
  }

  close(): void {
    this.closed = true;
    this.waiting.length = 0;
    this.buffer.removeEventListener("updateend", this.next);
    this.buffer.removeEventListener("error", this.failed);
  }

  private push(work: Work): void {
    this.waiting.push(work);
    if (!this.buffer.updating && !this.full) this.next();
  }

  private readonly failed = (): void => this.onError(new Error("the browser could not read the video"));

  private readonly next = (): void => {
    while (!this.closed && !this.buffer.updating) {
      const work = this.waiting.shift();
      if (!work) {
        this.onIdle();
        return;
      }
      try {
        work();
      } catch (error) {
        this.onError(error);
        return;
      }
      if (this.full) return this.makeRoom();
    }
  };

  private tryAppend(data: BufferSource): void {
    try {
      this.buffer.appendBuffer(data);
      this.full = false;
    } catch (error) {
      if (!isFull(error)) throw error;
      this.full = true;
      this.waiting.unshift(() => this.tryAppend(data));
    }
  }
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}
