/** The shapes by name, beside the picture. */

import { useEffect, useRef } from "preact/hooks";
import { labelText, t } from "../i18n";
import { Button, Confirm, Field } from "../ui/parts";
import { withPointAfter, withoutPoint, type Item, type Kind } from "./shapes";

interface Props {
  items: Item[];
  chosen: number | null;
  onChoose: (key: number) => void;
  onChange: (item: Item) => void;
  onAdd: (kind: Kind) => void;
  onDrop: (item: Item) => void;
  nameOf: (item: Item) => string;
}

const ADD = { zones: "zn.addZone", lines: "zn.addLine", masks: "zn.addMask" } as const;

export function ShapeList({ items, chosen, onChoose, onChange, onAdd, onDrop, nameOf }: Props) {
  // Chosen in the picture, the focus stays there.
  const here = useRef(false);
  const chooseHere = (key: number) => {
    here.current = true;
    onChoose(key);
  };
  useEffect(() => {
    here.current = false;
  }, [chosen]);
  return (
    <aside class="stack">
      {(["zones", "lines", "masks"] as const).map((kind) => (
        <section key={kind} class="panel">
          <h2>{t(`zn.${kind}`)}</h2>
          {items.filter((item) => item.kind === kind).map((item) => item.key === chosen
            ? <Chosen key={item.key} item={item} takesFocus={here.current} onChange={onChange} onDrop={() => onDrop(item)} />
            : <Button key={item.key} label={nameOf(item)} onClick={() => chooseHere(item.key)} />)}
          <Button icon="plus" label={t(ADD[kind])} onClick={() => onAdd(kind)} />
        </section>
      ))}
    </aside>
  );
}

function Chosen({ item, takesFocus, onChange, onDrop }: {
  item: Item; takesFocus: boolean; onChange: (item: Item) => void; onDrop: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  // It is in the place of the button that was pressed.
  useEffect(() => {
    if (takesFocus) box.current!.focus();
  }, []);
  const last = item.points.length - 1;
  const labels = Array.isArray(item.rest.labels) ? (item.rest.labels as string[]) : [];
  return (
    <div ref={box} class="inset stack" role="group" aria-label={item.name || t("zn.masks")} tabIndex={-1}>
      {item.kind !== "masks" && <Field label={t("zn.name")}>
        <input value={item.name} maxLength={64} onInput={(e) => onChange({ ...item, name: e.currentTarget.value.trim() })} />
      </Field>}
      {labels.length > 0 && <p class="quiet">{labels.map(labelText).join(", ")}</p>}
      <div class="bar">
        <Button icon="plus" label={t("zn.addPoint")} onClick={() => onChange(withPointAfter(item, last))} />
        <Button icon="minus" label={t("zn.dropPoint")} onClick={() => onChange(withoutPoint(item, last))} />
        {item.kind === "lines" && <Button label={t("zn.flip")} onClick={() => onChange({ ...item, points: [...item.points].reverse() })} />}
        <Confirm icon="bin" label={t("act.delete")} onYes={onDrop} />
      </div>
    </div>
  );
}
