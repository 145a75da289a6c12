/** Who looked at what, newest first. */

import { useEffect, useState } from "preact/hooks";
import { audit } from "../api/calls";
import type { AuditEntry } from "../api/types";
import { instantText } from "../format";
import { actionText, t } from "../i18n";
import { Button, ErrorNote } from "../ui/parts";

export function Audit() {
  const [entries, setEntries] = useState<AuditEntry[]>([]);
  const [next, setNext] = useState<string | number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const load = async (before: string | number | null) => {
    setBusy(true);
    try {
      const page = await audit(before);
      setEntries((now) => (before === null ? page.entries : [...now, ...page.entries]));
      setNext(page.next);
      setError(null);
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  useEffect(() => void load(null), []);
  return (
    <section class="panel">
      <h2>{t("set.audit")}</h2>
      <ErrorNote error={error} onRetry={() => void load(null)} />
      <div class="scroll" tabIndex={0} role="region" aria-label={t("set.audit")}>
        <table>
          <thead><tr>{(["set.when", "set.who", "set.what", "set.where", "set.span", "set.address"] as const).map((key) => <th key={key} scope="col">{t(key)}</th>)}</tr></thead>
          <tbody>{entries.map((entry) => <Line key={entry.number} entry={entry} />)}</tbody>
        </table>
      </div>
      {next !== null && <Button label={t("act.more")} disabled={busy} onClick={() => void load(next)} />}
    </section>
  );
}

function Line({ entry }: { entry: AuditEntry }) {
  return (
    <tr>
      <td>{instantText(entry.at)}</td>
      <td>{entry.user}</td>
      <td>{actionText(entry.action)}</td>
      <td>{entry.camera}</td>
      <td>{entry.start && `${instantText(entry.start)} – ${instantText(entry.end)}`}</td>
      <td>{entry.address}</td>
    </tr>
  );
}
