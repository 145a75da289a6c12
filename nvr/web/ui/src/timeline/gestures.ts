/** Wheel, drag, pinch and hover on the timeline, for mouse and fingers alike. */

import type { Layout } from "./layout";
import { rowAt } from "./layout";
import { panned, pinched, span, toTime, zoomed, type View } from "./view";

export interface GestureTarget {
  view(): View;
  layout(): Layout;
  setView(view: View): void;
  /** `row` is -1 on the axis. */
  hover(place: { x: number; y: number; at: number; row: number } | null): void;
  seek(at: number, row: number): void;
}

const STILL = 5;

export class Gestures {
  private readonly fingers = new Map<number, { x: number; y: number }>();
  private begun: { x: number; y: number; moved: boolean; scrub: boolean } | null = null;

  constructor(private readonly canvas: HTMLCanvasElement, private readonly target: GestureTarget) {
    canvas.addEventListener("pointerdown", this.down);
    canvas.addEventListener("pointermove", this.move);
    canvas.addEventListener("pointerup", this.up);
    canvas.addEventListener("pointercancel", this.up);
    canvas.addEventListener("pointerleave", this.leave);
    canvas.addEventListener("wheel", this.wheel, { passive: false });
  }

  close(): void {
    this.canvas.removeEventListener("pointerdown", this.down);
    this.canvas.removeEventListener("pointermove", this.move);
    this.canvas.removeEventListener("pointerup", this.up);
    this.canvas.removeEventListener("pointercancel", this.up);
    this.canvas.removeEventListener("pointerleave", this.leave);
    this.canvas.removeEventListener("wheel", this.wheel);
  }

  private place(event: MouseEvent): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private tell(place: { x: number; y: number }): void {
    const layout = this.target.layout();
    this.target.hover({ ...place, at: toTime(this.target.view(), place.x, layout.width), row: rowAt(layout, place.y) });
  }

  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const place = this.place(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, place);
    const scrub = rowAt(this.target.layout(), place.y) < 0;
    this.begun = this.fingers.size === 1 ? { ...place, moved: false, scrub } : null;
    if (scrub) this.tell(place);
  };

  private readonly move = (event: PointerEvent): void => {
    const place = this.place(event);
    const before = this.fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") this.tell(place);
      return;
    }
    if (this.fingers.size === 2) return this.pinch(event.pointerId, before, place);
    if (!this.begun) return;
    if (Math.hypot(place.x - this.begun.x, place.y - this.begun.y) > STILL) this.begun.moved = true;
    if (!this.begun.moved) return;
    this.fingers.set(event.pointerId, place);
    if (this.begun.scrub) return this.tell(place);
    const view = this.target.view();
    this.target.setView(panned(view, ((before.x - place.x) / this.target.layout().width) * span(view)));
    this.target.hover(null);
  };

  private pinch(id: number, before: { x: number; y: number }, place: { x: number; y: number }): void {
    const other = [...this.fingers.entries()].find(([key]) => key !== id)![1];
    const width = this.target.layout().width;
    this.target.setView(pinched(this.target.view(), width, [other.x, before.x], [other.x, place.x]));
    this.fingers.set(id, place);
  }

  private readonly up = (event: PointerEvent): void => {
    const place = this.place(event);
    const begun = this.begun;
    this.fingers.delete(event.pointerId);
    this.begun = null;
    if (event.type === "pointercancel") return this.target.hover(null);
    if (!begun) return;
    const layout = this.target.layout();
    if (!begun.moved || begun.scrub) this.target.seek(toTime(this.target.view(), place.x, layout.width), rowAt(layout, place.y));
    if (event.pointerType !== "mouse") this.target.hover(null);
  };

  private readonly leave = (): void => {
    if (!this.fingers.size) this.target.hover(null);
  };

  private readonly wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const view = this.target.view();
    const width = this.target.layout().width;
    const lines = event.deltaMode === 1 ? 16 : 1;
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      return this.target.setView(panned(view, ((sideways * lines) / width) * span(view)));
    }
    // A pinch on a touchpad comes as a wheel with ctrl, in small steps.
    const factor = Math.exp(event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0022));
    this.target.setView(zoomed(view, toTime(view, this.place(event).x, width), factor));
  };
}
