/** The picture with its shapes; every point can be dragged, or focused and moved by keys. */

import { useRef } from "preact/hooks";
import type { Point } from "../api/types";
import { t } from "../i18n";
import { useShape } from "../ui/shape";
import { arrowOf, nearestEdge, sizeOf, withPointAfter, withPointMoved, withoutPoint, type Item, type Size } from "./shapes";

interface Props {
  items: Item[];
  chosen: number | null;
  picture: string | null;
  onChoose: (key: number) => void;
  onChange: (item: Item) => void;
  nameOf: (item: Item) => string;
}


export function Drawing({ items, chosen, picture, onChoose, onChange, nameOf }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const shape = useShape();
  const size = sizeOf(shape.aspect);
  const pointOf = (event: MouseEvent): Point => {
    const box = svg.current!.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  return (
    <div class="tile shaped" style={shape.style}>
      {picture ? <img src={picture} alt="" onLoad={shape.onLoad} /> : <div class="cover"><p>{t("zn.noPicture")}</p></div>}
      <svg ref={svg} viewBox={`0 0 ${size.width} ${size.height}`} preserveAspectRatio="none" class="shapes" data-testid="shapes">
        <defs>
          <marker id="arrow" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0L10 5L0 10z" class="arrow-head" />
          </marker>
        </defs>
        {items.map((item) => (
          <g key={item.key} class={`shape ${item.kind} ${item.key === chosen ? "chosen" : ""}`}
            onPointerDown={() => onChoose(item.key)}
            onDblClick={(event) => {
              const at = pointOf(event);
              onChange(withPointAfter(item, nearestEdge(item, at), at));
            }}>
            <Outline item={item} label={nameOf(item)} size={size} />
            {item.key === chosen && item.points.map((_, n) => (
              <Handle key={n} item={item} n={n} size={size} pointOf={pointOf} onChange={onChange}
                label={t("zn.point", { name: nameOf(item), n: n + 1, all: item.points.length })} />
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}

function Outline({ item, label, size: { width, height } }: { item: Item; label: string; size: Size }) {
  const points = item.points.map(([left, top]) => `${left * width},${top * height}`).join(" ");
  const [x, y] = item.points[0];
  const name = <text x={x * width + 10} y={Math.max(34, y * height - 12)} class="shape-name">{label}</text>;
  if (item.kind !== "lines") return <><polygon points={points} class="hit" /><polygon points={points} />{name}</>;
  const arrow = arrowOf(item, width / height);
  const [from, to] = [arrow.from, arrow.to];
  return (
    <>
      <polyline points={points} class="hit" />
      <polyline points={points} />
      <line class="arrow" x1={from[0] * width} y1={from[1] * height} x2={to[0] * width} y2={to[1] * height} marker-end="url(#arrow)" />
      {name}
    </>
  );
}

const STEPS: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function Handle({ item, n, size, label, pointOf, onChange }: {
  item: Item; n: number; size: Size; label: string; pointOf: (event: MouseEvent) => Point; onChange: (item: Item) => void;
}) {
  const dragging = useRef(false);
  const [x, y] = item.points[n];
  const key = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    const far = event.shiftKey ? 0.02 : 0.002;
    if (step) onChange(withPointMoved(item, n, [x + step[0] * far, y + step[1] * far]));
    else if (event.key === "Delete" || event.key === "Backspace") onChange(withoutPoint(item, n));
    else if (event.key === "Insert" || event.key === "+") onChange(withPointAfter(item, n));
    else return;
    event.preventDefault();
  };
  return (
    <circle cx={x * size.width} cy={y * size.height} r="14" class="handle" tabindex={0} role="button" aria-label={label} data-point={n}
      onKeyDown={key}
      onDblClick={(event) => event.stopPropagation()}
      onPointerDown={(event) => {
        dragging.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => dragging.current && onChange(withPointMoved(item, n, pointOf(event)))}
      onPointerUp={() => (dragging.current = false)}
      onPointerCancel={() => (dragging.current = false)} />
  );
}
