/** A player for as long as a component is there; renders at the pace of its clock. */

import { useEffect, useReducer, useRef } from "preact/hooks";
import { wantsSound } from "../prefs";
import type { Explain } from "./hole";
import { Player } from "./player";

const PACE = 100;

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
    const draw = () => {
      queued ||= requestAnimationFrame(() => {
        queued = 0;
        again(0);
      });
    };
    const stop = player.listen(draw);
    const timer = setInterval(draw, PACE);
    return () => {
      stop();
      clearInterval(timer);
      cancelAnimationFrame(queued);
      player.close();
    };
  }, []);
  return ref.current;
}
