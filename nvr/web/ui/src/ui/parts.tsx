/** Small pieces that every page uses. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { errorText } from "../format";
import { Icon, type IconName } from "../icons";
import { t } from "../i18n";

interface ButtonProps {
  icon?: IconName;
  label: string;
  /** Whether only the icon is shown; the label is still read out. */
  bare?: boolean;
  onClick?: () => void;
  disabled?: boolean;
  pressed?: boolean;
  kind?: "plain" | "main" | "danger";
  type?: "button" | "submit";
  testid?: string;
  /** Takes the focus when it comes, in the place of what had it. */
  takesFocus?: boolean;
}

export function Button({ icon, label, bare, onClick, disabled, pressed, kind = "plain", type = "button", testid, takesFocus }: ButtonProps) {
  const ref = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (takesFocus) ref.current!.focus();
  }, []);
  return (
    <button ref={ref} type={type} class={`button ${kind} ${bare ? "bare" : ""}`} disabled={disabled} onClick={onClick} data-testid={testid}
      aria-pressed={pressed} title={bare ? label : undefined} aria-label={bare ? label : undefined}>
      {icon && <Icon name={icon} />}
      {!bare && <span>{label}</span>}
    </button>
  );
}

/** Asks in place: the second click does it. */
export function Confirm({ icon, label, onYes }: { icon?: IconName; label: string; onYes: () => void }) {
  const [asked, setAsked] = useState<boolean | null>(null);
  if (!asked) return <Button icon={icon} label={label} takesFocus={asked === false} onClick={() => setAsked(true)} />;
  return (
    <span class="group" role="group">
      <Button kind="danger" label={t("act.sure")} takesFocus onClick={() => { setAsked(false); onYes(); }} />
      <Button label={t("act.cancel")} onClick={() => setAsked(false)} />
    </span>
  );
}

export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (!error) return null;
  return (
    <div class="note bad" role="alert">
      <span>{errorText(error)}</span>
      {onRetry && <Button label={t("act.retry")} onClick={onRetry} />}
    </div>
  );
}

export function Note({ children, kind = "" }: { children: ComponentChildren; kind?: "" | "good" | "warn" }) {
  return <div class={`note ${kind}`} role="status">{children}</div>;
}

export function Loading() {
  return <p class="quiet" role="status">{t("state.loading")}</p>;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function Field({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
    </label>
  );
}

export function Check({ label, checked, onChange, colour }: {
  label: string; checked: boolean; onChange: (on: boolean) => void; colour?: string;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(e) => onChange(e.currentTarget.checked)} />
      {colour && <i class="dot" style={{ background: colour }} />}
      <span>{label}</span>
    </label>
  );
}

export function Choice<T extends string>({ label, value, options, onChange, hideLabel }: {
  label: string; value: T; options: { value: T; text: string }[]; onChange: (value: T) => void; hideLabel?: boolean;
}) {
  const select = (
    <select value={value} aria-label={hideLabel ? label : undefined} onChange={(e) => onChange(e.currentTarget.value as T)}>
      {options.map((one) => <option key={one.value} value={one.value} selected={one.value === value}>{one.text}</option>)}
    </select>
  );
  return hideLabel ? select : <Field label={label}>{select}</Field>;
}
