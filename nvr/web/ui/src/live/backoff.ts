/** Waits that grow, with a share of chance so that many viewers do not come back at once. */
export class Backoff {
  private tries = 0;

  constructor(
    private readonly first = 500,
    private readonly most = 5_000,
    private readonly chance: () => number = Math.random,
  ) {}

  next(): number {
    const wait = Math.min(this.most, this.first * 2 ** this.tries++);
    return wait * (0.75 + 0.5 * this.chance());
  }

  reset(): void {
    this.tries = 0;
  }
}
