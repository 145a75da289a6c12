/** Accounts, for administrators. */

import { useState } from "preact/hooks";
import { addUser, changeUser, dropUser, users as askUsers } from "../api/calls";
import type { Role, User } from "../api/types";
import { instantText } from "../format";
import { useLoaded } from "../hooks";
import { t } from "../i18n";
import { account } from "../session";
import { Button, Check, Choice, Confirm, ErrorNote, Field } from "../ui/parts";

export function Users({ cameras }: { cameras: string[] }) {
  const users = useLoaded(askUsers, []);
  const [error, setError] = useState<unknown>(null);
  const [edited, setEdited] = useState<string | null>(null);
  const act = async (work: Promise<unknown>) => {
    try {
      await work;
      setError(null);
      setEdited(null);
      await users.reload();
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <section class="panel">
      <h2>{t("set.users")}</h2>
      <ErrorNote error={error ?? users.error} />
      <ul class="list rows">
        {users.value?.map((user) => (
          <li key={user.name}>
            <UserRow user={user} onEdit={() => setEdited(edited === user.name ? null : user.name)} onDrop={() => void act(dropUser(user.name))} />
            {edited === user.name && <UserForm user={user} cameras={cameras} onSave={(change) => void act(changeUser(user.name, change))} />}
          </li>
        ))}
      </ul>
      {edited === "" ? <UserForm user={null} cameras={cameras} onSave={(user) => void act(addUser(user))} />
        : <Button icon="plus" label={t("set.addUser")} onClick={() => setEdited("")} />}
    </section>
  );
}

function UserRow({ user, onEdit, onDrop }: { user: User; onEdit: () => void; onDrop: () => void }) {
  return (
    <div class="bar">
      <strong>{user.name}</strong>
      <span class="chip">{t(`role.${user.role}`)}</span>
      <span class="quiet">{user.cameras === null ? t("set.allCameras") : user.cameras.join(", ")}</span>
      {!user.active && <span class="chip warn">{t("set.inactive")}</span>}
      <span class="quiet">{t("set.created")} {instantText(user.created)}</span>
      <span class="grow" />
      <Button label={t("set.edit")} onClick={onEdit} />
      {user.name !== account()?.name && <Confirm icon="bin" label={t("act.delete")} onYes={onDrop} />}
    </div>
  );
}

function UserForm({ user, cameras, onSave }: { user: User | null; cameras: string[]; onSave: (user: object) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>(user?.role ?? "viewer");
  const [some, setSome] = useState<string[] | null>(user ? user.cameras : null);
  // One that is gone must be shown too, or it could not be taken away.
  const offered = [...new Set([...cameras, ...(user?.cameras ?? [])])];
  const submit = () => {
    const told = { role, cameras: some, ...(password ? { password } : {}) };
    onSave(user ? told : { name, ...told });
  };
  const toggle = (camera: string, on: boolean) => setSome((before) => (on ? [...(before ?? []), camera] : (before ?? []).filter((one) => one !== camera)));
  return (
    <form class="filter-row inset" onSubmit={(e) => { e.preventDefault(); submit(); }}>
      {!user && <Field label={t("login.name")}>
        <input required autocomplete="off" autocapitalize="none" value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </Field>}
      <Field label={user ? t("set.newPassword") : t("login.password")}>
        <input type="password" autocomplete="new-password" required={!user} value={password} onInput={(e) => setPassword(e.currentTarget.value)} />
      </Field>
      <Choice<Role> label={t("set.role")} value={role} onChange={setRole}
        options={[{ value: "viewer", text: t("role.viewer") }, { value: "admin", text: t("role.admin") }]} />
      <Check label={t("set.allCameras")} checked={some === null} onChange={(on) => setSome(on ? null : [])} />
      {some !== null && offered.map((camera) => <Check key={camera} label={camera} checked={some.includes(camera)} onChange={(on) => toggle(camera, on)} />)}
      <Button type="submit" kind="main" label={t("act.save")} />
    </form>
  );
}
