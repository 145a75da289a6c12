/** All cameras live, or one of them large. */

import { useRef } from "preact/hooks";
import { cameras as askCameras, snapshotAddress } from "../api/calls";
import type { Camera } from "../api/types";
import { serverNow } from "../clock";
import { useLoaded, useTitle } from "../hooks";
import { fileInstant } from "../format";
import { Icon } from "../icons";
import { t } from "../i18n";
import { go, href, type Route } from "../route";
import { isAdmin } from "../session";
import { rfc3339, SECOND } from "../time";
import { Button, Empty, ErrorNote, Loading } from "../ui/parts";
import { LiveTile } from "./tile";

export function LivePage({ route }: { route: Route }) {
  useTitle(route.arg || t("live.title"));
  const cameras = useLoaded(askCameras, [], 5 * SECOND);
  if (!cameras.value) return cameras.error ? <ErrorNote error={cameras.error} onRetry={() => void cameras.reload()} /> : <Loading />;
  const one = cameras.value.find((camera) => camera.camera === route.arg);
  if (route.arg && !one) return <Empty>{t("state.notFound")}</Empty>;
  return (
    <div class="page">
      <ErrorNote error={cameras.error} />
      {one ? <Single camera={one} key={one.camera} /> : <Grid cameras={cameras.value} />}
    </div>
  );
}

function Grid({ cameras }: { cameras: Camera[] }) {
  if (!cameras.length) return <Empty>{isAdmin() ? t("live.none") : t("live.noneForYou")}</Empty>;
  return (
    <>
      <h1 class="sr-only">{t("live.title")}</h1>
      <div class={`grid ${cameras.length === 1 ? "one" : cameras.length <= 4 ? "few" : ""}`}>
        {cameras.map((camera) => (
          <LiveTile key={camera.camera} camera={camera} want="sub" onOpen={() => go(href("live", camera.camera))} />
        ))}
      </div>
    </>
  );
}

/** An iPhone lets only a video fill the screen. */
function fillScreen(box: HTMLElement): void {
  if (box.requestFullscreen) return void box.requestFullscreen();
  const video = box.querySelector("video") as (HTMLVideoElement & { webkitEnterFullscreen?: () => void }) | null;
  video?.webkitEnterFullscreen?.();
}

function Single({ camera }: { camera: Camera }) {
  const box = useRef<HTMLDivElement>(null);
  const name = camera.camera;
  const toTimeline = () => go(href("timeline", "", { at: rfc3339(serverNow() - 10 * SECOND), camera: name }));
  return (
    <>
      <div class="bar">
        <a class="button" href="#/live"><Icon name="left" /><span>{t("live.all")}</span></a>
        <h1>{name}</h1>
        <span class="grow" />
        <Button icon="timeline" label={t("live.timeline")} onClick={toTimeline} />
        <a class="button" href={snapshotAddress(name)} download={`${name}_${fileInstant(serverNow())}.jpg`}>
          <Icon name="camera" /><span>{t("live.snapshot")}</span>
        </a>
        {isAdmin() && <a class="button" href={href("zones", name)}><Icon name="zones" /><span>{t("live.zones")}</span></a>}
        <Button icon="full" label={t("live.fullscreen")} onClick={() => box.current && fillScreen(box.current)} />
      </div>
      <div ref={box} class="single"><LiveTile camera={camera} want="main" /></div>
    </>
  );
}
