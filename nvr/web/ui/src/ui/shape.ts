/** The shape of a picture: a tile takes it, so that what is drawn over the picture lies where it belongs. */

import { useState } from "preact/hooks";

/** Until a picture is there, and where there is none. */
export const WIDE = 16 / 9;

export interface Shape {
  /** Width by height. */
  aspect: number;
  style: { "--aspect": string };
  onLoad: (event: { currentTarget: HTMLImageElement }) => void;
}

export function aspectOf(width: number, height: number): number {
  return width > 0 && height > 0 ? width / height : WIDE;
}

export function useShape(): Shape {
  const [aspect, set] = useState(WIDE);
  return {
    aspect,
    style: { "--aspect": String(aspect) },
    onLoad: ({ currentTarget: picture }) => set(aspectOf(picture.naturalWidth, picture.naturalHeight)),
  };
}
