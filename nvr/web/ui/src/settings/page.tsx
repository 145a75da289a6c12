/** Settings: this browser, this account, and for administrators the rest. */

import { cameras as askCameras, logout } from "../api/calls";
import { useLoaded, useTitle } from "../hooks";
import { Icon } from "../icons";
import { t } from "../i18n";
import { go, href } from "../route";
import { account, isAdmin, setAccount } from "../session";
import { Button } from "../ui/parts";
import { PasswordForm, Tokens } from "./account";
import { Audit } from "./audit";
import { Look } from "./look";
import { Users } from "./users";

async function leave(): Promise<void> {
  await logout().catch(() => undefined);
  setAccount(null);
  go("#/login");
}

export function SettingsPage() {
  useTitle(t("set.title"));
  const cameras = useLoaded(async () => (await askCameras()).map((one) => one.camera), []);
  const me = account();
  return (
    <div class="page narrow">
      <div class="bar">
        <h1>{t("set.title")}</h1>
        <span class="grow" />
        {me && <span class="quiet">{t("set.you", { name: me.name, role: t(`role.${me.role}`) })}</span>}
        <Button icon="logout" label={t("nav.logout")} onClick={() => void leave()} />
      </div>
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
