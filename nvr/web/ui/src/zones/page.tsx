/** The editor of a camera's zones, lines and masks. */

import { useState } from "preact/hooks";
import { cameras as askCameras, saveZones, snapshotAddress, zones as askZones } from "../api/calls";
import type { Zones } from "../api/types";
import { useLoaded, useTitle } from "../hooks";
import { Icon } from "../icons";
import { t } from "../i18n";
import { href, type Route } from "../route";
import { isAdmin } from "../session";
import { Button, Empty, ErrorNote, Loading, Note } from "../ui/parts";
import { Drawing } from "./drawing";
import { useLeaveQuestion } from "./leave";
import { ShapeList } from "./list";
import { fresh, itemsOf, least, problems, zonesOf, type Item, type Kind, type Problem } from "./shapes";

export function ZonesPage({ route }: { route: Route }) {
  useTitle(t("zn.title", { camera: route.arg }));
  const told = useLoaded(() => askZones(route.arg), [route.arg]);
  const picture = useLoaded(async () => {
    const camera = (await askCameras()).find((one) => one.camera === route.arg);
    return camera?.picture ? snapshotAddress(route.arg, 1280, Date.now()) : null;
  }, [route.arg]);
  if (!isAdmin()) return <Empty>{t("state.adminOnly")}</Empty>;
  if (!told.value) return told.error ? <ErrorNote error={told.error} onRetry={() => void told.reload()} /> : <Loading />;
  return <Editor key={route.arg} camera={route.arg} told={told.value} picture={picture.value} />;
}

type Outcome = { kind: "idle" | "busy" } | { kind: "saved"; restart: string | null } | { kind: "failed"; error: unknown };

function useSaving(camera: string, items: Item[]) {
  const [saved, setSaved] = useState(items);
  const [outcome, setOutcome] = useState<Outcome>({ kind: "idle" });
  const save = async () => {
    setOutcome({ kind: "busy" });
    try {
      const answer = await saveZones(camera, zonesOf(items));
      setSaved(items);
      setOutcome({ kind: "saved", restart: answer?.restart ?? null });
    } catch (error) {
      setOutcome({ kind: "failed", error });
    }
  };
  return { outcome, changed: items !== saved, save, edited: () => setOutcome({ kind: "idle" }) };
}

function Editor({ camera, told, picture }: { camera: string; told: Zones; picture: string | null }) {
  const [items, setItems] = useState<Item[]>(() => itemsOf(told));
  const [chosen, choose] = useState<number | null>(items[0]?.key ?? null);
  const { outcome, changed, save, edited } = useSaving(camera, items);
  useLeaveQuestion(changed);
  const edit = (next: Item[]) => {
    setItems(next);
    edited();
  };
  const change = (item: Item) => edit(items.map((one) => (one.key === item.key ? item : one)));
  const add = (kind: Kind) => {
    const item = fresh(kind, items.map((one) => one.name));
    edit([...items, item]);
    choose(item.key);
  };
  const masks = items.filter((item) => item.kind === "masks");
  const nameOf = (item: Item) => (item.kind === "masks" ? t("zn.mask", { n: masks.findIndex((one) => one.key === item.key) + 1 }) : item.name || "?");
  const wrong = problems(items);
  return (
    <div class="page">
      <EditorBar camera={camera} outcome={outcome} changed={changed} wrong={wrong.length > 0} onSave={() => void save()} />
      {wrong.map((one) => <p class="note warn" role="alert" key={`${one.what}${one.item.key}`}>{problemText(one, nameOf)}</p>)}
      <div class="detail-body">
        <Drawing items={items} chosen={chosen} picture={picture} onChoose={choose} onChange={change} nameOf={nameOf} />
        <ShapeList items={items} chosen={chosen} onChoose={choose} onChange={change} onAdd={add} nameOf={nameOf}
          onDrop={(item) => edit(items.filter((one) => one.key !== item.key))} />
      </div>
      <p class="quiet">{t("zn.hint")}</p>
    </div>
  );
}

function EditorBar({ camera, outcome, changed, wrong, onSave }: {
  camera: string; outcome: Outcome; changed: boolean; wrong: boolean; onSave: () => void;
}) {
  return (
    <>
      <div class="bar">
        <a class="button" href={href("live", camera)}><Icon name="left" /><span>{camera}</span></a>
        <h1>{t("zn.title", { camera })}</h1>
        <span class="grow" />
        {changed && outcome.kind !== "busy" && <span class="chip warn">{t("zn.unsaved")}</span>}
        <Button kind="main" label={t("act.save")} testid="save" disabled={outcome.kind === "busy" || wrong} onClick={onSave} />
      </div>
      {outcome.kind === "failed" && <ErrorNote error={outcome.error} />}
      {outcome.kind === "saved" && <Note kind="good">{outcome.restart ?? t("zn.saved")}</Note>}
    </>
  );
}

function problemText({ what, item }: Problem, nameOf: (item: Item) => string): string {
  if (what === "few") return t("zn.few", { name: nameOf(item), n: least(item.kind) });
  if (what === "crossing") return t("zn.crossing", { name: nameOf(item) });
  return what === "twice" ? t("zn.twice", { name: nameOf(item) }) : t("zn.unnamed");
}
