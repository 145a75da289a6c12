/** Where the rows of the canvas are. */

export interface Layout {
  width: number;
  axis: number;
  row: number;
  rows: number;
  height: number;
}

export function layoutOf(width: number, rows: number, narrow: boolean): Layout {
  const axis = narrow ? 36 : 30;
  const row = narrow ? 54 : rows > 8 ? 34 : 42;
  return { width, axis, row, rows, height: axis + row * Math.max(1, rows) };
}

export function rowAt(layout: Layout, y: number): number {
  if (y < layout.axis) return -1;
  const n = Math.floor((y - layout.axis) / layout.row);
  return n < layout.rows ? n : -1;
}
