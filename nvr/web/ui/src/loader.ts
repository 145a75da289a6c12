/** Loads one thing, again and again. An older answer never covers a newer one, none comes when it is closed. */
export class Loader<T> {
  value: T | null = null;
  error: unknown = null;
  private turn = 0;
  /** The turn whose answer is waited for; 0 while none is. */
  private waiting = 0;

  constructor(private readonly load: () => Promise<T>, private readonly changed: () => void) {}

  readonly reload = async (): Promise<void> => {
    const mine = (this.waiting = ++this.turn);
    try {
      const fresh = await this.load();
      if (mine !== this.turn) return;
      this.value = fresh;
      this.error = null;
    } catch (problem) {
      if (mine !== this.turn) return;
      this.error = problem;
    }
    this.waiting = 0;
    this.changed();
  };

  /** By a clock: an answer that is slower than its interval is waited for, or none would ever come. */
  tick(): void {
    if (!this.waiting) void this.reload();
  }

  readonly set = (value: T): void => {
    this.value = value;
    this.changed();
  };

  close(): void {
    this.turn++;
    this.waiting = 0;
  }
}
