/** A player for as long as a component is there; renders at the pace of its clock. */

import { useEffect, useReducer, useRef } from "preact/hooks";
import { wantsSound } from "../prefs";
import type { Explain } from "./hole";
import { Player } from "./player";

const PACE = 100;
/** What no clock tells, a note that fades or a moment that becomes now, is drawn as often as this. */
const REST = 1000;

export function usePlayer(at: number, playing: boolean, explain?: Explain): Player {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const ref = useRef<Player | null>(null);
  if (!ref.current) {
    ref.current = new Player(at, playing, explain);
    ref.current.muted = !wantsSound();
  }
  useEffect(() => {
    const player = ref.current!;
    let queued = 0;
    let drawn = 0;
    let shown = Number.NaN;
    const draw = () => {
      queued ||= requestAnimationFrame(() => {
        queued = 0;
        drawn = performance.now();
        shown = player.shownAt();
        again(0);
      });
    };
    const stop = player.listen(draw);
    const timer = setInterval(() => (player.shownAt() !== shown || performance.now() - drawn > REST) && draw(), PACE);
    return () => {
      stop();
      clearInterval(timer);
      cancelAnimationFrame(queued);
      player.close();
    };
  }, []);
  return ref.current;
}
