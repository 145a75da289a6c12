/** Which cameras are watched together. */

import { t } from "../i18n";
import { Check } from "../ui/parts";

export function Watchers({ cameras, watched, onToggle }: {
  cameras: string[]; watched: string[]; onToggle: (camera: string) => void;
}) {
  return (
    <fieldset class="watchers">
      <legend>{t("tl.watchMany")}</legend>
      {cameras.map((camera) => <Check key={camera} label={camera} checked={watched.includes(camera)} onChange={() => onToggle(camera)} />)}
    </fieldset>
  );
}
