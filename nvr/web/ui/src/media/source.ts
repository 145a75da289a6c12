/** MediaSource, or ManagedMediaSource where only that exists (iPhone). */

interface MediaSourceLike {
  new (): MediaSource;
  isTypeSupported(type: string): boolean;
}

interface Scope {
  MediaSource?: MediaSourceLike;
  ManagedMediaSource?: MediaSourceLike;
}

export function mediaSource(): MediaSourceLike | null {
  const scope = globalThis as unknown as Scope;
  return scope.MediaSource ?? scope.ManagedMediaSource ?? null;
}

export function canPlay(mime: string): boolean {
  try {
    return mediaSource()?.isTypeSupported(mime) ?? false;
  } catch {
    return false;
  }
}

/** Attaches a new source to a video; the returned function lets go of it. */
export function attach(video: HTMLVideoElement, source: MediaSource): () => void {
  // A managed source only opens on an element that forbids remote playback.
  video.disableRemotePlayback = true;
  const url = URL.createObjectURL(source);
  video.src = url;
  return () => {
    URL.revokeObjectURL(url);
    video.removeAttribute("src");
    video.load();
  };
}

/** `H.265` of a codec or a mime, for people. */
export function codecName(text: string): string {
  const lower = text.toLowerCase();
  if (/hvc1|hev1|h\.?265|hevc/.test(lower)) return "H.265";
  if (/avc1|h\.?264/.test(lower)) return "H.264";
  if (/av01|av1/.test(lower)) return "AV1";
  return text;
}
