/** What this browser remembers: language, theme and whether sound is wanted. */

export type Theme = "system" | "light" | "dark";

function read(key: string): string | null {
  try {
    return localStorage.getItem(`nvr.${key}`);
  } catch {
    return null; // Storage may be forbidden; the page works without.
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(`nvr.${key}`, value);
  } catch {
    // As above.
  }
}

export function theme(): Theme {
  const told = read("theme");
  return told === "light" || told === "dark" ? told : "system";
}

export function setTheme(value: Theme): void {
  write("theme", value);
  applyTheme();
}

export function applyTheme(): void {
  const value = theme();
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
  dispatchEvent(new Event("nvr-theme"));
}

export function storedLanguage(): string | null {
  return read("language");
}

export function storeLanguage(value: string): void {
  write("language", value);
}

export function wantsSound(): boolean {
  return read("sound") === "on";
}

export function storeSound(on: boolean): void {
  write("sound", on ? "on" : "off");
}
