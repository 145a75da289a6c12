/** Newest pictures one after the other: as one endless answer, or one by one where connections are scarce. */

import { useEffect, useRef, useState } from "preact/hooks";
import { mjpegAddress, snapshotAddress } from "../api/calls";
import { request } from "../api/client";
import { giveStream, takeStream } from "../media/jpegs";

interface Props {
  camera: string;
  active: boolean;
  wide: boolean;
}

export function LivePictures({ camera, active, wide }: Props) {
  const [streaming, setStreaming] = useState(false);
  const [broken, setBroken] = useState(false);
  const [url, setUrl] = useState("");
  const image = useRef<HTMLImageElement>(null);
  const width = wide ? 1280 : 640;
  useEffect(() => setBroken(false), [active, camera]);
  useEffect(() => {
    if (!active || broken || !takeStream()) return;
    setStreaming(true);
    return () => {
      setStreaming(false);
      giveStream();
    };
  }, [active, camera, broken]);
  useEffect(() => (active && !streaming ? poll(camera, width, setUrl) : undefined), [active, streaming, camera, width]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  useEffect(() => {
    const picture = image.current!;
    // Taken off the page it would go on loading.
    return () => picture.removeAttribute("src");
  }, []);
  // Without an address the browser ends the endless answer; the last picture is kept while another is on its way.
  const source = streaming ? mjpegAddress(camera, width, wide ? 10 : 5) : url;
  return <img ref={image} class="live-picture" src={source || undefined} alt={camera} data-camera={camera}
    onError={() => streaming && setBroken(true)} />;
}

function poll(camera: string, width: number, show: (url: string) => void): () => void {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout>;
  const once = async () => {
    try {
      const answer = await request(snapshotAddress(camera, width, Date.now()), { signal: abort.signal });
      show(URL.createObjectURL(await answer.blob()));
    } catch {
      // The tile tells the camera's state; the next try comes anyway.
    }
    if (!abort.signal.aborted) timer = setTimeout(() => void once(), 1000);
  };
  void once();
  return () => {
    abort.abort();
    clearTimeout(timer);
  };
}
