/** The little that is read of ISO/IEC 14496-12: the time scale of the picture track, and a fragment's first time. */

interface Box {
  type: string;
  start: number;
  end: number;
}

function* boxes(data: DataView, from: number, to: number): Generator<Box> {
  let at = from;
  while (at + 8 <= to) {
    let size = data.getUint32(at);
    const type = String.fromCharCode(...[4, 5, 6, 7].map((n) => data.getUint8(at + n)));
    let head = 8;
    if (size === 1 && at + 16 <= to) {
      size = Number(data.getBigUint64(at + 8));
      head = 16;
    } else if (size === 0) size = to - at;
    if (size < head) return;
    yield { type, start: at + head, end: Math.min(to, at + size) };
    at += size;
  }
}

function find(data: DataView, path: string[], from = 0, to = data.byteLength): Box | null {
  const [type, ...rest] = path;
  for (const box of boxes(data, from, to)) {
    if (box.type !== type) continue;
    return rest.length ? find(data, rest, box.start, box.end) : box;
  }
  return null;
}

interface Track {
  id: number;
  scale: number;
}

/** The picture track of an initialisation segment, or null. */
export function pictureTrack(init: ArrayBuffer): Track | null {
  const data = new DataView(init);
  const movie = find(data, ["moov"]);
  if (!movie) return null;
  for (const trak of boxes(data, movie.start, movie.end)) {
    if (trak.type !== "trak") continue;
    const kind = find(data, ["mdia", "hdlr"], trak.start, trak.end);
    const head = find(data, ["mdia", "mdhd"], trak.start, trak.end);
    const about = find(data, ["tkhd"], trak.start, trak.end);
    if (!kind || !head || !about || data.getUint32(kind.start + 8) !== 0x76696465) continue; // "vide"
    const scale = data.getUint32(head.start + (data.getUint8(head.start) === 1 ? 20 : 12));
    const id = data.getUint32(about.start + (data.getUint8(about.start) === 1 ? 20 : 12));
    return { id, scale };
  }
  return null;
}

/** Seconds of media time at which a fragment's pictures begin, or null. */
export function fragmentStart(segment: ArrayBuffer, track: Track): number | null {
  const data = new DataView(segment);
  const moof = find(data, ["moof"]);
  if (!moof) return null;
  for (const traf of boxes(data, moof.start, moof.end)) {
    if (traf.type !== "traf") continue;
    const head = find(data, ["tfhd"], traf.start, traf.end);
    const time = find(data, ["tfdt"], traf.start, traf.end);
    if (!head || !time || data.getUint32(head.start + 4) !== track.id) continue;
    const long = data.getUint8(time.start) === 1;
    const ticks = long ? Number(data.getBigUint64(time.start + 4)) : data.getUint32(time.start + 4);
    return ticks / track.scale;
  }
  return null;
}
