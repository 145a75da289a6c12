/** One dictionary, the language of this browser unless another was chosen. */

import { storedLanguage, storeLanguage } from "../prefs";
import { en, type Key } from "./en";
import { ACTIONS_ZH, ERRORS_ZH, LABELS_ZH, REASONS_ZH, STATES_ZH } from "./words";
import { zh } from "./zh";

export type Language = "en" | "zh";
export type { Key };

const DICTIONARIES: Record<Language, Record<Key, string>> = { en, zh };

let current: Language = chosen();
const listeners = new Set<() => void>();

function chosen(): Language {
  const told = storedLanguage() ?? (typeof navigator === "undefined" ? "en" : navigator.language);
  return /^zh/i.test(told) ? "zh" : "en";
}

export function language(): Language {
  return current;
}

/** For Intl: the browser's own variant of the language where it is one, such as en-GB. */
export function locale(): string {
  const own = typeof navigator === "undefined" ? "en" : navigator.language;
  if (current === "zh") return /^zh/i.test(own) ? own : "zh-CN";
  return /^en/i.test(own) ? own : "en-GB";
}

export function setLanguage(value: Language): void {
  storeLanguage(value);
  speak(value);
}

/** Without remembering it: as long as none was chosen, the browser's own language counts. */
export function speak(value: Language): void {
  current = value;
  document.documentElement.lang = value === "zh" ? "zh-CN" : "en";
  for (const call of listeners) call();
}

export function onLanguage(call: () => void): () => void {
  listeners.add(call);
  return () => listeners.delete(call);
}

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return fill(DICTIONARIES[current][key], values);
}

/** Why there is no video: the server's words, or ours for the code where the language is another. */
export function reasonText(reason: string | null, meaning: string | null, detail?: string | null): string {
  const words = (current === "zh" && reason ? REASONS_ZH[reason] : null) ?? meaning ?? reason ?? t("tl.unknown");
  return detail ? `${words} (${detail})` : words;
}

export function refusalText(code: string, message: string): string {
  const words = current === "zh" ? ERRORS_ZH[code] : null;
  return words ? fill(words, { message }) : message;
}

export function actionText(action: string): string {
  return (current === "zh" ? ACTIONS_ZH[action] : null) ?? action;
}

export function labelText(label: string): string {
  return (current === "zh" ? LABELS_ZH[label] : null) ?? label;
}

export function stateText(state: string): string {
  return (current === "zh" ? STATES_ZH[state] : null) ?? state;
}

export function kindText(kind: string): string {
  const key = `kind.${kind}`;
  return key in en ? t(key as Key) : kind;
}
