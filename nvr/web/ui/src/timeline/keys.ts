/** What each key does on the timeline. Pure: a key becomes a wish. */

export type Wish =
  | { do: "seek"; seconds: number }
  | { do: "frame"; direction: 1 | -1 }
  | { do: "event"; direction: 1 | -1 }
  | { do: "camera"; n: number }
  | { do: "zoom"; factor: number }
  | { do: "toggle" | "home" | "end" | "help" | "markIn" | "markOut" };

interface Pressed {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

export function wishOf(pressed: Pressed): Wish | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
  const far = pressed.shiftKey ? 10 : 1;
  if (/^[1-9]$/.test(pressed.key)) return { do: "camera", n: Number(pressed.key) - 1 };
  switch (pressed.key) {
    case "ArrowLeft": return { do: "seek", seconds: -far };
    case "ArrowRight": return { do: "seek", seconds: far };
    case ",": return { do: "frame", direction: -1 };
    case ".": return { do: "frame", direction: 1 };
    case " ": return { do: "toggle" };
    case "[": return { do: "event", direction: -1 };
    case "]": return { do: "event", direction: 1 };
    case "Home": return { do: "home" };
    case "End": return { do: "end" };
    case "+": case "=": return { do: "zoom", factor: 0.5 };
    case "-": return { do: "zoom", factor: 2 };
    case "i": return { do: "markIn" };
    case "o": return { do: "markOut" };
    case "?": return { do: "help" };
    default: return null;
  }
}

/** Keys belong to the field or button that has the focus, where it uses them itself. */
export function isTyping(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog")) return true;
  if (target.matches("select, textarea, input:not([type=checkbox])")) return true;
  return (key === " " || key === "Enter") && target.matches("button, a, input, summary");
}
