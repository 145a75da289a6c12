/** Settings: this browser, this account, and for administrators the rest. */

import { useState } from "preact/hooks";
import { cameras as askCameras, logout } from "../api/calls";
import { ApiError } from "../api/error";
import { useLoaded, useTitle } from "../hooks";
import { Icon } from "../icons";
import { t } from "../i18n";
import { go, href } from "../route";
import { account, isAdmin, setAccount } from "../session";
import { Button, ErrorNote } from "../ui/parts";
import { PasswordForm, Tokens } from "./account";
import { Audit } from "./audit";
import { Look } from "./look";
import { Users } from "./users";

/** Only what the server has ended is said to be ended. */
async function leave(): Promise<void> {
  try {
    await logout();
  } catch (problem) {
    if (!(problem instanceof ApiError && problem.status === 401)) throw problem;
  }
  setAccount(null);
  go("#/login");
}

export function SettingsPage() {
  useTitle(t("set.title"));
  const cameras = useLoaded(async () => (await askCameras()).map((one) => one.camera), []);
  const [error, setError] = useState<unknown>(null);
  const me = account();
  return (
    <div class="page narrow">
      <div class="bar">
        <h1>{t("set.title")}</h1>
        <span class="grow" />
        {me && <span class="quiet">{t("set.you", { name: me.name, role: t(`role.${me.role}`) })}</span>}
        <Button icon="logout" label={t("nav.logout")} onClick={() => void leave().catch(setError)} />
      </div>
      <ErrorNote error={error} />
      <Look />
      <PasswordForm />
      <Tokens />
      {isAdmin() && <>
        <section class="panel">
          <h2>{t("set.zones")}</h2>
          <div class="bar">{cameras.value?.map((camera) => (
            <a key={camera} class="button" href={href("zones", camera)}><Icon name="zones" /><span>{camera}</span></a>
          ))}</div>
        </section>
        <Users cameras={cameras.value ?? []} />
        <Audit />
      </>}
    </div>
  );
}
