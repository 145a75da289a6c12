/** Before somebody has touched the page, browsers let a video play only without sound, and some not even then. */
export async function play(video: HTMLVideoElement, refused: (silent: boolean) => void): Promise<void> {
  const silent = video.muted;
  try {
    await video.play();
  } catch (error) {
    // Other errors tell of a pause or a jump that came in between.
    if (error instanceof DOMException && error.name === "NotAllowedError") refused(silent);
  }
}
