/** All keys and gestures, in a dialog. */

import { t, type Key } from "../i18n";
import { Dialog } from "../ui/dialog";

const KEYS: [string, Key][] = [
  ["← →", "key.arrows"],
  ["⇧ ← →", "key.shiftArrows"],
  [", .", "key.frames"],
  ["␣", "key.space"],
  ["[ ]", "key.events"],
  ["Home End", "key.homeEnd"],
  ["1 – 9", "key.digits"],
  ["+ −", "key.zoom"],
  ["i o", "key.marks"],
  ["?", "key.help"],
];

export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t("tl.keys")} onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, text]) => [<dt key={keys}><kbd>{keys}</kbd></dt>, <dd key={text}>{t(text)}</dd>])}
        <dt>{t("key.wheelName")}</dt><dd>{t("key.wheel")}</dd>
        <dt>{t("key.dragName")}</dt><dd>{t("key.drag")}</dd>
      </dl>
    </Dialog>
  );
}
