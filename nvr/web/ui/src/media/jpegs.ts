/** A browser opens about six connections to one server: endless picture streams must not take them all. */

const MOST = 2;
let taken = 0;

export function takeStream(): boolean {
  if (taken >= MOST) return false;
  taken++;
  return true;
}

export function giveStream(): void {
  taken = Math.max(0, taken - 1);
}
