/** What was asked to be copied out, how far it is, and where to fetch it. */

import { useState } from "preact/hooks";
import { dropExport, exportsList } from "../api/calls";
import { below } from "../api/client";
import type { ExportJob } from "../api/types";
import { bytesText, clockText, instantText } from "../format";
import { useLoaded, useTitle } from "../hooks";
import { Icon } from "../icons";
import { reasonText, t } from "../i18n";
import { href } from "../route";
import { parse, SECOND, spanText } from "../time";
import { Confirm, Empty, ErrorNote, Loading } from "../ui/parts";

export function ExportsPage() {
  useTitle(t("ex.title"));
  const [busy, setBusy] = useState(true);
  const jobs = useLoaded(async () => {
    const told = await exportsList();
    setBusy(told.some((job) => job.state === "waiting" || job.state === "copying"));
    return told;
  }, [], busy ? SECOND : 15 * SECOND);
  const [error, setError] = useState<unknown>(null);
  const drop = (id: string) => void dropExport(id).then(() => jobs.reload(), setError);
  return (
    <div class="page narrow">
      <h1>{t("ex.title")}</h1>
      <ErrorNote error={error ?? jobs.error} onRetry={() => { setError(null); void jobs.reload(); }} />
      {!jobs.value && !jobs.error && <Loading />}
      {jobs.value?.length === 0 && <Empty>{t("ex.none")}</Empty>}
      <ul class="list" data-testid="exports">
        {jobs.value?.map((job) => <Job key={job.id} job={job} onDrop={() => drop(job.id)} />)}
      </ul>
      {!!jobs.value?.length && <p class="quiet">{t("ex.kept")}</p>}
    </div>
  );
}

function Job({ job, onDrop }: { job: ExportJob; onDrop: () => void }) {
  const running = job.state === "waiting" || job.state === "copying";
  const tone = job.state === "done" ? "good" : job.state === "failed" ? "bad" : "";
  const notes = (Array.isArray(job.notes) ? job.notes : [job.notes]).filter(Boolean);
  return (
    <li class="panel" data-state={job.state}>
      <div class="bar">
        <strong>{job.camera}</strong>
        <a href={href("timeline", "", { at: job.from, camera: job.camera })}>{instantText(job.from)} – {clockText(parse(job.to))}</a>
        <span class="quiet">{spanText((parse(job.to) - parse(job.from)) / SECOND)}</span>
        <span class={`chip ${tone}`}>{t(`ex.${job.state}`)}</span>
        <span class="grow" />
        <Confirm icon="bin" label={t("act.delete")} onYes={onDrop} />
      </div>
      {running && <progress max={1} value={job.state === "waiting" ? undefined : job.progress} aria-label={t(`ex.${job.state}`)} />}
      {job.error && <p class="note bad" role="alert">{job.error}</p>}
      {job.files?.map((file) => (
        <p key={file.name}>
          <a class="button main" href={below(file.url)} download={file.name}><Icon name="exports" /><span>{file.name}</span></a>
          <span class="quiet"> {bytesText(file.bytes)}</span>
        </p>
      ))}
      {job.gaps?.length > 0 && <GapList job={job} />}
      {notes.map((note) => <p class="quiet" key={note}>{note}</p>)}
    </li>
  );
}

function GapList({ job }: { job: ExportJob }) {
  return (
    <div class="quiet">
      {t("ex.gaps")}:
      <ul>{job.gaps.map((gap) => <li key={gap.start}>
        {clockText(parse(gap.start))}–{gap.end ? clockText(parse(gap.end)) : "…"}: {reasonText(gap.reason, gap.meaning)}
      </li>)}</ul>
    </div>
  );
}
