/** A day, typed or picked. What is typed counts when it is done: each of its digits makes another date. */

import { useRef, useState } from "preact/hooks";
import { dayOf } from "../time";

interface Props {
  value: string;
  min?: string;
  max?: string;
  label?: string;
  /** Also called with the empty text. */
  onDay: (day: string) => void;
}

/** Whether a field of a date says something to go by: nothing, or a day that somebody can have meant. */
export function isMeant(text: string): boolean {
  return text === "" || dayOf(text) >= 0;
}

export function DayInput({ value, min, max, label, onDay }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const typing = useRef(false);
  const done = (text: string) => {
    typing.current = false;
    setDraft(null);
    if (text !== value && isMeant(text)) onDay(text);
  };
  return (
    <input type="date" value={draft ?? value} min={min} max={max} aria-label={label}
      onKeyDown={(e) => {
        if (e.key === "Enter") done(e.currentTarget.value);
        else if (e.key !== "Tab") typing.current = true;
      }}
      onPointerDown={() => (typing.current = false)}
      onInput={(e) => (typing.current ? setDraft(e.currentTarget.value) : done(e.currentTarget.value))}
      onBlur={(e) => typing.current && done(e.currentTarget.value)} />
  );
}
