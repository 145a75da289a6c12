/** The canvas of the timeline: draws when something changed, and passes gestures on. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useLatest } from "../hooks";
import { t } from "../i18n";
import { rfc3339 } from "../time";
import { Gestures } from "./gestures";
import { layoutOf, type Layout } from "./layout";
import { paint, paletteOf, type Palette, type Scene } from "./paint";
import { Preview, type Hover } from "./preview";
import type { View } from "./view";

interface Props {
  scene: Scene;
  onView: (view: View) => void;
  onSeek: (at: number, row: number) => void;
}

export function TimelineCanvas({ scene, onView, onSeek }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [hover, setHover] = useState<Hover | null>(null);
  const layout = layoutOf(width, scene.cameras.length, width < 640);
  const latest = useLatest({ scene, layout, onView, onSeek });

  useSurface(box, canvas, latest, setWidth, setHover);
  usePainting(canvas, layout, scene);
  return (
    <div ref={box} class="timeline-box">
      <canvas ref={canvas} class="timeline" style={{ height: `${layout.height}px` }} tabIndex={0} role="application"
        aria-label={t("tl.canvas")} data-testid="timeline" data-from={rfc3339(scene.view.from)} data-to={rfc3339(scene.view.to)} />
      {hover && <Preview hover={hover} scene={scene} width={width} />}
    </div>
  );
}

/** The size of the box, and what fingers and pointer do on it. */
function useSurface(
  box: { readonly current: HTMLDivElement | null }, canvas: { readonly current: HTMLCanvasElement | null },
  latest: { readonly current: Props & { layout: Layout } }, setWidth: (width: number) => void, setHover: (hover: Hover | null) => void,
): void {
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    watch.observe(box.current!);
    const gestures = new Gestures(canvas.current!, {
      view: () => latest.current.scene.view,
      layout: () => latest.current.layout,
      setView: (view) => latest.current.onView(view),
      hover: setHover,
      seek: (at, row) => latest.current.onSeek(at, row),
    });
    return () => {
      watch.disconnect();
      gestures.close();
    };
  }, []);
}

function usePainting(canvas: { readonly current: HTMLCanvasElement | null }, layout: Layout, scene: Scene): void {
  const palette = useRef<Palette | null>(null);
  useEffect(() => {
    const forget = () => (palette.current = null);
    const system = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("nvr-theme", forget);
    system.addEventListener("change", forget);
    return () => {
      removeEventListener("nvr-theme", forget);
      system.removeEventListener("change", forget);
    };
  }, []);
  useEffect(() => {
    const handle = requestAnimationFrame(() => {
      // The page may have gone before its frame came.
      if (!canvas.current) return;
      palette.current ??= paletteOf(canvas.current);
      draw(canvas.current, layout, scene, palette.current);
    });
    return () => cancelAnimationFrame(handle);
  });
}

function draw(canvas: HTMLCanvasElement, layout: Layout, scene: Scene, palette: Palette): void {
  const pen = canvas.getContext("2d");
  if (!pen || !layout.width) return;
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(layout.width * scale), Math.round(layout.height * scale)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  paint(pen, layout, scene, palette);
}
