/** What time it is at the recorder: this computer's clock may be wrong, and the footage is by the other one. */

/** The header of a date has whole seconds. */
const COARSE = 1000;

/** How far the other clock is ahead, corrected as little as an answer demands that was asked for and came then. */
export function corrected(ahead: number, told: number, asked: number, came: number): number {
  const [least, most] = [told - came, told + COARSE - asked];
  if (ahead >= least && ahead <= most) return ahead;
  return (least + most) / 2;
}

let ahead = 0;

/** Takes note of an answer's `Date`; `asked` is by this computer's clock. */
export function noteDate(date: string | null, asked: number): void {
  const told = Date.parse(date ?? "");
  if (!Number.isNaN(told)) ahead = corrected(ahead, told, asked, Date.now());
}

export function serverNow(): number {
  return Date.now() + ahead;
}
