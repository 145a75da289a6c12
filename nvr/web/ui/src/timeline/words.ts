/** What the ledger knows of a span, in words. */

import { clockText, momentText } from "../format";
import { reasonText, t } from "../i18n";
import type { Gap, Ledger, Off, Stretch } from "./ledger";

/** The ledger is of a window: where a span begins before it, or goes on behind it, is not known here. */
export function isCut(ledger: Pick<Ledger, "from" | "to">, one: Stretch): { before: boolean; behind: boolean } {
  return { before: one.start <= ledger.from, behind: !one.open && one.end >= ledger.to };
}

export function gapWords(ledger: Ledger, gap: Gap): string {
  const why = reasonText(gap.reason, gap.meaning, gap.detail);
  const cut = isCut(ledger, gap);
  const from = cut.before ? "…" : momentText(gap.start);
  return gap.open ? t("tl.openGap", { from, why }) : t("tl.gap", { from, to: cut.behind ? "…" : momentText(gap.end), why });
}

export function offWords(ledger: Ledger, off: Off): string {
  const cut = isCut(ledger, off);
  return t("tl.offSpan", { from: cut.before ? "…" : clockText(off.start), to: off.open || cut.behind ? "…" : clockText(off.end) });
}
