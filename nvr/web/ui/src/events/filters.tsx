/** The fields of the filter; on a phone they are behind a summary. */

import { cameras as askCameras, eventLabels } from "../api/calls";
import { useLoaded } from "../hooks";
import { Icon } from "../icons";
import { kindText, labelText, t } from "../i18n";
import { DayInput } from "../ui/day";
import { Button, Check, Choice, Field } from "../ui/parts";
import { KINDS, type Filter } from "./filter";

interface Props {
  filter: Filter;
  onChange: (filter: Filter) => void;
}

/** A value that came by the address is offered even where the server does not know it. */
function options(names: string[], chosen: string): { value: string; text: string }[] {
  const all = chosen && !names.includes(chosen) ? [...names, chosen] : names;
  return [{ value: "", text: t("ev.any") }, ...all.map((name) => ({ value: name, text: name }))];
}

export function Filters({ filter, onChange }: Props) {
  const known = useLoaded(eventLabels, []);
  const cameras = useLoaded(askCameras, []);
  const set = (change: Partial<Filter>) => onChange({ ...filter, ...change });
  const active = Object.values(filter).some((value) => (Array.isArray(value) ? value.length : value));
  const labels = options(known.value?.labels ?? [], filter.label[0] ?? "");
  return (
    <details class="filters" open={innerWidth > 640}>
      <summary><Icon name="filter" />{t("ev.filter")}</summary>
      <div class="filter-row">
        <Choice label={t("ev.camera")} value={filter.camera[0] ?? ""} onChange={(value) => set({ camera: value ? [value] : [] })}
          options={options((cameras.value ?? []).map((one) => one.camera), filter.camera[0] ?? "")} />
        <Choice label={t("ev.label")} value={filter.label[0] ?? ""} onChange={(value) => set({ label: value ? [value] : [] })}
          options={labels.map((one) => (one.value ? { ...one, text: labelText(one.value) } : one))} />
        <Choice label={t("ev.kind")} value={filter.kind} onChange={(kind) => set({ kind })}
          options={[{ value: "", text: t("ev.any") }, ...KINDS.map((kind) => ({ value: kind, text: kindText(kind) }))]} />
        <Choice label={t("ev.zone")} value={filter.zone} onChange={(zone) => set({ zone })}
          options={options(known.value?.zones ?? [], filter.zone)} />
        <Field label={t("time.from")}>
          <DayInput value={filter.from} max={filter.to || undefined} onDay={(from) => set({ from })} />
        </Field>
        <Field label={t("time.to")}>
          <DayInput value={filter.to} min={filter.from || undefined} onDay={(to) => set({ to })} />
        </Field>
        <Choice label={t("ev.marks")} value={filter.false} onChange={(value) => set({ false: value })}
          options={[{ value: "", text: t("ev.any") }, { value: "all", text: t("ev.falseAll") }, { value: "true", text: t("ev.falseOnly") }]} />
        <Check label={t("ev.lockedOnly")} checked={filter.locked} onChange={(locked) => set({ locked })} />
        {active && <Button icon="cross" label={t("ev.reset")}
          onClick={() => onChange({ camera: [], label: [], kind: "", zone: "", from: "", to: "", locked: false, false: "" })} />}
      </div>
    </details>
  );
}
