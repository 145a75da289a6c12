/** Login, and the choice of a first password by a one-time link. */

import { useState } from "preact/hooks";
import { login, setup } from "../api/calls";
import { ApiError } from "../api/error";
import type { Me } from "../api/types";
import { errorText } from "../format";
import { useTitle } from "../hooks";
import { t } from "../i18n";
import { go } from "../route";
import { returnFromLogin, setAccount } from "../session";
import { Button, Field } from "../ui/parts";
import { LanguageChoice } from "./look";

function useEntry(done: () => void, refused?: string) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const enter = async (ask: () => Promise<Me>) => {
    setBusy(true);
    setError("");
    try {
      setAccount(await ask());
      done();
    } catch (problem) {
      const wrong = problem instanceof ApiError && problem.status === 401;
      setError(wrong && refused ? refused : errorText(problem));
    }
    setBusy(false);
  };
  return { error, busy, enter, setError };
}

export function LoginPage() {
  useTitle(t("login.title"));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const entry = useEntry(returnFromLogin, t("login.failed"));
  return (
    <main class="gate">
      <form class="panel" onSubmit={(e) => { e.preventDefault(); void entry.enter(() => login(name, password)); }}>
        <Brand />
        <h1>{t("login.title")}</h1>
        {entry.error && <p class="note bad" role="alert">{entry.error}</p>}
        <Field label={t("login.name")}>
          <input name="name" autocomplete="username" autocapitalize="none" required autofocus value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </Field>
        <Field label={t("login.password")}>
          <input name="password" type="password" autocomplete="current-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} />
        </Field>
        <Button type="submit" kind="main" label={t("login.go")} disabled={entry.busy} />
        <LanguageChoice />
      </form>
    </main>
  );
}

export function SetupPage({ link }: { link: string }) {
  useTitle(t("setup.title"));
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const entry = useEntry(() => go("#/live"));
  const submit = () => {
    if (password !== again) return entry.setError(t("setup.differ"));
    void entry.enter(() => setup(link, password));
  };
  return (
    <main class="gate">
      <form class="panel" onSubmit={(e) => { e.preventDefault(); submit(); }}>
        <Brand />
        <h1>{t("setup.title")}</h1>
        {entry.error && <p class="note bad" role="alert">{entry.error}</p>}
        <Field label={t("login.password")}>
          <input name="password" type="password" autocomplete="new-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} />
        </Field>
        <p class="quiet">{t("setup.hint")}</p>
        <Field label={t("setup.again")}>
          <input name="again" type="password" autocomplete="new-password" required value={again} onInput={(e) => setAgain(e.currentTarget.value)} />
        </Field>
        <Button type="submit" kind="main" label={t("setup.go")} disabled={entry.busy} />
        <LanguageChoice />
      </form>
    </main>
  );
}

export function Brand() {
  return <span class="brand">nvr</span>;
}
