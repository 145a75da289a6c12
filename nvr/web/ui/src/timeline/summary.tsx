/** The timeline in words, for those who do not see the canvas. */

import { t } from "../i18n";
import type { Gap, Ledger, Row } from "./ledger";
import type { View } from "./view";
import { gapWords } from "./words";

const MOST = 40;

export function TimelineSummary({ ledger, view }: { ledger: Ledger; view: View }) {
  const within = <T extends { start: number; end: number }>(items: T[]) =>
    items.filter((one) => one.end > view.from && one.start < view.to);
  return (
    <section class="sr-only" data-testid="timeline-summary" aria-label={t("tl.summary")}>
      {ledger.rows.map((row) => <RowSummary key={row.camera} ledger={ledger} row={row} gaps={within(row.gaps)}
        spans={within(row.recorded).length} events={within(row.events).length} />)}
    </section>
  );
}

function RowSummary({ ledger, row, gaps, spans, events }: { ledger: Ledger; row: Row; gaps: Gap[]; spans: number; events: number }) {
  return (
    <div data-camera={row.camera} data-recorded={spans} data-gaps={gaps.length} data-events={events}>
      <p>{t("tl.summaryCamera", { camera: row.camera, spans, gaps: gaps.length, events })}</p>
      <ul>
        {gaps.slice(0, MOST).map((gap) => <li key={gap.start} data-reason={gap.reason}>{gapWords(ledger, gap)}</li>)}
        {gaps.length > MOST && <li>{t("tl.moreGaps", { n: gaps.length - MOST })}</li>}
      </ul>
    </div>
  );
}
