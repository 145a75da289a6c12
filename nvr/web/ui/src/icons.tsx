/** Line icons of 24 by 24, drawn here; each takes the colour of its text. */

const PATHS = {
  live: "M4 7h11v10H4zM15 11l5-3v8l-5-3",
  timeline: "M3 7h7M12 7h9M3 12h3M9 12h12M3 17h11M17 17h4",
  events: "M5 4h14v16H5zM8 15l3-3 2 2 3-4M9 8h.01",
  exports: "M12 4v10M8 10l4 4 4-4M5 19h14",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  play: "M7 5l12 7-12 7z",
  pause: "M8 5v14M16 5v14",
  back: "M11 6l-6 6 6 6M19 6l-6 6 6 6",
  forward: "M13 6l6 6-6 6M5 6l6 6-6 6",
  frameBack: "M16 6l-7 6 7 6zM6 6v12",
  frameForward: "M8 6l7 6-7 6zM18 6v12",
  sound: "M4 9v6h4l5 4V5L8 9zM16 9c1.5 2 1.5 4 0 6M18.5 6.5c3 3.500 3 7.500 0 11",
  mute: "M4 9v6h4l5 4V5L8 9zM17 10l4 4M21 10l-4 4",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  camera: "M4 8h4l2-2h4l2 2h4v11H4zM12 10.500a3 3 0 100 6 3 3 0 000-6",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 016 0v3",
  cross: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  bin: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  key: "M8 15a4 4 0 110-6 4 4 0 010 6M11 12h10M17 12v4M20 12v3",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
  zones: "M5 6l9-2 6 7-4 8-10-1z",
  out: "M14 4h6v6M20 4l-9 9M10 5H5v14h14v-5",
  filter: "M4 5h16l-6 8v6l-4-2v-4z",
  logout: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor"
      stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}
