/** What the colours mean; the labels are a filter too. */

import { REASON_COLOURS, labelColour, reasonClass, type ReasonClass } from "../colours";
import { labelText, t } from "../i18n";
import { Check } from "../ui/parts";
import type { Ledger } from "./ledger";

interface Props {
  ledger: Ledger;
  hidden: ReadonlySet<string>;
  onToggle: (label: string) => void;
}

export function Legend({ ledger, hidden, onToggle }: Props) {
  const used = new Set<ReasonClass>();
  for (const row of ledger.rows) for (const gap of row.gaps) used.add(reasonClass(gap.reason));
  const off = ledger.rows.some((row) => row.off.length);
  return (
    <div class="legend">
      <div class="group" role="group" aria-label={t("tl.labels")}>
        {ledger.labels.map((label) => <Check key={label} label={labelText(label)} colour={labelColour(label)}
          checked={!hidden.has(label)} onChange={() => onToggle(label)} />)}
      </div>
      <div class="group" aria-label={t("tl.legend")} role="group">
        <span class="key"><i class="swatch recorded" />{t("tl.recorded")}</span>
        {off && <span class="key"><i class="swatch off" />{t("tl.off")}</span>}
        {[...used].map((name) => <span class="key" key={name}><i class="swatch hatch" style={{ color: REASON_COLOURS[name] }} />
          {t("tl.gapsOf", { what: t(`tl.class.${name}`) })}</span>)}
      </div>
    </div>
  );
}
