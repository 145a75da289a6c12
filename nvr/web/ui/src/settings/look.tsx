/** Language and theme of this browser. */

import { useState } from "preact/hooks";
import { language, setLanguage, t, type Language } from "../i18n";
import { setTheme, theme, type Theme } from "../prefs";
import { Choice } from "../ui/parts";

export function LanguageChoice() {
  return <Choice<Language> label={t("set.language")} value={language()} onChange={setLanguage}
    options={[{ value: "en", text: "English" }, { value: "zh", text: "简体中文" }]} />;
}

export function Look() {
  const [chosen, choose] = useState(theme());
  const change = (value: Theme) => {
    setTheme(value);
    choose(value);
  };
  return (
    <section class="panel">
      <h2>{t("set.look")}</h2>
      <div class="filter-row">
        <LanguageChoice />
        <Choice<Theme> label={t("set.theme")} value={chosen} onChange={change}
          options={(["system", "light", "dark"] as const).map((value) => ({ value, text: t(`set.theme.${value}`) }))} />
      </div>
    </section>
  );
}
