/** One's own password and API tokens. */

import { useState } from "preact/hooks";
import { addToken, changePassword, dropToken, tokens as askTokens } from "../api/calls";
import type { Token } from "../api/types";
import { instantText } from "../format";
import { useLoaded } from "../hooks";
import { t } from "../i18n";
import { Button, Confirm, ErrorNote, Field, Note } from "../ui/parts";

export function PasswordForm() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async () => {
    setDone(false);
    setError(null);
    try {
      await changePassword(old, fresh);
      setDone(true);
      setOld("");
      setFresh("");
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <section class="panel">
      <h2>{t("set.password")}</h2>
      <ErrorNote error={error} />
      {done && <Note kind="good">{t("set.changed")}</Note>}
      <form class="filter-row" onSubmit={(e) => { e.preventDefault(); void submit(); }}>
        <Field label={t("set.old")}>
          <input type="password" autocomplete="current-password" required value={old} onInput={(e) => setOld(e.currentTarget.value)} />
        </Field>
        <Field label={t("set.new")}>
          <input type="password" autocomplete="new-password" required value={fresh} onInput={(e) => setFresh(e.currentTarget.value)} />
        </Field>
        <Button type="submit" kind="main" label={t("act.save")} />
      </form>
    </section>
  );
}

export function Tokens() {
  const tokens = useLoaded(askTokens, []);
  const [name, setName] = useState("");
  const [made, setMade] = useState<Token | null>(null);
  const [error, setError] = useState<unknown>(null);
  const add = async () => {
    try {
      setMade(await addToken(name));
      setName("");
      setError(null);
      await tokens.reload();
    } catch (problem) {
      setError(problem);
    }
  };
  const drop = (id: string) => void dropToken(id).then(() => tokens.reload(), setError);
  return (
    <section class="panel">
      <h2>{t("set.tokens")}</h2>
      <ErrorNote error={error ?? tokens.error} />
      {made?.token && <NewToken token={made.token} />}
      <ul class="list rows">
        {tokens.value?.map((token) => (
          <li key={token.id} class="bar">
            <strong>{token.name}</strong>
            <span class="quiet">{t("set.created")} {instantText(token.created)} · {t("set.used")} {token.used ? instantText(token.used) : t("set.never")}</span>
            <span class="grow" />
            <Confirm icon="bin" label={t("act.delete")} onYes={() => drop(token.id)} />
          </li>
        ))}
      </ul>
      <form class="filter-row" onSubmit={(e) => { e.preventDefault(); void add(); }}>
        <Field label={t("set.tokenName")}><input required value={name} onInput={(e) => setName(e.currentTarget.value)} /></Field>
        <Button type="submit" icon="key" label={t("act.add")} />
      </form>
    </section>
  );
}

function NewToken({ token }: { token: string }) {
  const [copied, setCopied] = useState(false);
  // Over plain HTTP there is no clipboard: the text is selectable as well.
  const copy = () => void navigator.clipboard?.writeText(token).then(() => setCopied(true), () => undefined);
  return (
    <Note kind="good">
      <p>{t("set.tokenOnce")}</p>
      <p class="bar">
        <code data-testid="token">{token}</code>
        {navigator.clipboard && <Button label={copied ? t("act.copied") : t("act.copy")} onClick={copy} />}
      </p>
    </Note>
  );
}
