/** Marks a span and makes an export of it for each watched camera. */

import { useRef, useState } from "preact/hooks";
import { beginExport } from "../api/calls";
import { clockText } from "../format";
import { t } from "../i18n";
import { go } from "../route";
import { rfc3339, SECOND, spanText } from "../time";
import { Button, ErrorNote } from "../ui/parts";

export type Marks = [number | null, number | null];

/** An end before its begin is the other way round; a begin alone has no end yet. */
export function withMark(marks: Marks, place: 0 | 1, at: number): Marks {
  const next: Marks = [...marks];
  next[place] = at;
  if (next[0] === null) return place === 1 ? [null, null] : next;
  if (next[1] !== null && next[1] <= next[0]) return place === 0 ? [at, null] : [at, next[0]];
  return next;
}

export function Marking({ marks, at, cameras, onMarks }: {
  marks: Marks; at: () => number; cameras: readonly string[]; onMarks: (marks: Marks) => void;
}) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  /** What was begun already, where a later camera's export failed and all is tried again. */
  const begun = useRef(new Set<string>());
  const [from, to] = marks;
  const begin = async () => {
    if (from === null || to === null) return;
    setBusy(true);
    try {
      for (const camera of cameras) {
        const key = `${camera} ${from} ${to}`;
        if (begun.current.has(key)) continue;
        await beginExport(camera, rfc3339(from), rfc3339(to));
        begun.current.add(key);
      }
      go("#/exports");
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  return (
    <div class="group marking">
      <Button icon="exports" testid="mark-in" onClick={() => onMarks(withMark(marks, 0, at()))}
        label={from === null ? t("tl.markIn") : `${t("tl.markIn")} ${clockText(from)}`} />
      {from !== null && <Button testid="mark-out" onClick={() => onMarks(withMark(marks, 1, at()))}
        label={to === null ? t("tl.markOut") : `${t("tl.markOut")} ${clockText(to)}`} />}
      {from !== null && to !== null && <Button kind="main" testid="export" disabled={busy || !cameras.length}
        onClick={() => void begin()} label={t("tl.export", { span: spanText((to - from) / SECOND) })} />}
      {from !== null && <Button icon="cross" bare label={t("tl.clearMarks")} onClick={() => onMarks([null, null])} />}
      <ErrorNote error={error} />
    </div>
  );
}
