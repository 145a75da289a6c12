"""The whole program as a person sees it: a camera, nvr start, and a real browser.

Pictures of what was seen are in ``build/screenshots``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, Route, expect

from tests.fakes.archive import shown
from tests.fakes.browser import CHROMIUM, PHONE, Size, chromium, page, shown_number
from tests.fakes.camera import Camera, unavailable
from tests.fakes.footage import FPS, FRAMES, frame_number
from tests.fakes.ports import free_port
from tests.fakes.station import Station, nvr, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SCREENSHOTS = Path(__file__).parents[1] / "build/screenshots"
PASSWORD = "correct horse"
IN_STEP = 5
"""Frames by which two cameras may be apart, when they were playing a moment ago: 0.2 s."""
RECORDED_S = 22
"""How much there is to look at before the first test begins."""


@dataclass(frozen=True, slots=True)
class Place:
    """A running nvr with three cameras: two of H.264, of which one sees people, and one of H.265."""

    url: str
    config: Path
    station: Station

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A program that asks as an admin."""
        with httpx.Client(base_url=f"{self.url}/api/v1/", timeout=20) as client:
            answer = client.post("login", json={"name": "admin", "password": PASSWORD})
            client.headers["X-NVR-CSRF"] = answer.json()["csrf"]
            yield client

    def begin(self, camera: str = "gate") -> datetime:
        """When the first file of a camera begins."""
        with self.client() as client:
            [first] = client.get(f"segments?from=1h&camera={camera}&limit=1").json()["segments"]
        return datetime.fromisoformat(first["start"])


def configuration(port: int, h264: Camera, h265: Camera) -> str:
    def camera(name: str, of: Camera, channel: int, more: str) -> str:
        login = f"username: {of.username}, password: '{of.password}'"
        return f"  {name}: {{host: 127.0.0.1, port: {of.port}, channel: {channel}, {login}, {more}}}\n"

    return (
        f"storage: storage\nrecording: {{segment: 5s}}\nweb: {{port: {port}}}\ncameras:\n"
        + camera("gate", h264, 1, "detect: {labels: [person, car], fps: 3}")
        + camera("yard", h264, 2, "detect: off, audio: off")
        + camera("lane", h265, 1, "detect: {mode: motion, fps: 2}, audio: off")
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, footage: Path, footage_h265: Path) -> Iterator[Place]:
    if CHROMIUM is None:
        unavailable("Debian's chromium is not installed: scripts/install --apt scripts/apt-packages.txt")
    folder = tmp_path_factory.mktemp("place")
    port = free_port()
    config = folder / "nvr.yaml"
    with Camera(footage, channels=2) as h264, Camera(footage_h265, codec="h265") as h265:
        config.write_text(configuration(port, h264, h265))
        with Station(config) as station:
            place = Place(f"http://127.0.0.1:{port}", config, station)
            station.wait_until_logged("/#/setup/")
            begin_accounts(place)
            with place.client() as client:
                wait_for(lambda: [one["state"] for one in client.get("cameras").json()] == ["recording"] * 3, "cameras")
                wait_for(lambda: recorded_s(client) > RECORDED_S, "something to look at")
                wait_for(lambda: client.get("events?label=person").json()["events"], "an event")
            yield place


def begin_accounts(place: Place) -> None:
    """Use the link that was shown, as the browser's first test looks at another one."""
    link = re.findall(r"/#/setup/(\S+)", place.station.log())[-1]
    with httpx.Client(base_url=f"{place.url}/api/v1/") as client:
        answer = client.post("setup", json={"link": link, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        headers = {"X-NVR-CSRF": answer.json()["csrf"]}
        viewer = {"name": "bert", "password": PASSWORD, "cameras": ["yard"]}
        assert client.post("users", json=viewer, headers=headers).status_code == 201


def recorded_s(client: httpx.Client) -> float:
    rows = client.get("ledger?from=1h").json()["cameras"]
    return min(sum((end - start for start, end in row["recorded"]), 0.0) for row in rows)


@pytest.fixture(scope="module")
def browser(place: Place) -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def look(browser: Browser, place: Place, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A desk's window, logged in as an admin; its last picture is kept."""
    with window(browser, place) as opened:
        try:
            yield opened
        finally:
            keep(opened, request.node.name)


@contextmanager
def window(
    browser: Browser, place: Place, size: Size | None = None, name: str = "admin", language: str = "en-US"
) -> Iterator[Page]:
    options = {} if size is None else {"size": size}
    with page(browser, place.url, language=language, **options) as opened:
        opened.locator("input[name=name]").fill(name)
        opened.locator("input[name=password]").fill(PASSWORD)
        opened.locator("button[type=submit]").click()
        expect(opened.locator("nav.nav")).to_be_visible()
        yield opened


def keep(opened: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=SCREENSHOTS / f"{name}.png")


def rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def go(opened: Page, path: str) -> None:
    opened.evaluate("path => { location.hash = path }", f"#/{path}")


def moves(picture: Locator, frames: int = 20) -> tuple[int, int]:
    """Two numbers that a picture shows one after the other, so many frames apart at least."""
    deadline = time.monotonic() + 30
    first: int | None = None
    while time.monotonic() < deadline:
        number = shown_number(picture)
        if number is not None:
            first = number if first is None else first
            if (number - first) % FRAMES >= frames:
                return first, number
        time.sleep(0.05)
    raise AssertionError(f"the picture does not move: {first}")


def at_of(opened: Page) -> datetime:
    told = opened.get_by_test_id("player-time").get_attribute("data-at")
    assert told is not None
    return datetime.fromisoformat(told)


def drawn(picture: Locator) -> tuple[float, float, float, float]:
    """Where an image is within its element, which may be of another shape: left, top, width, height in the window."""
    left, top, width, height = picture.evaluate(
        """picture => {
          const box = picture.getBoundingClientRect()
          const scale = Math.min(box.width / picture.naturalWidth, box.height / picture.naturalHeight)
          const [width, height] = [picture.naturalWidth * scale, picture.naturalHeight * scale]
          return [box.left + (box.width - width) / 2, box.top + (box.height - height) / 2, width, height]
        }"""
    )
    return left, top, width, height


def give_pictures(opened: Page, width: int, height: int) -> None:
    """Every snapshot that the window asks for is of this size, whatever the camera sends."""
    done, jpeg = cv2.imencode(".jpg", np.full((height, width, 3), (120, 90, 60), np.uint8))
    assert done
    opened.route(
        re.compile(r"/snapshot\.jpg"), lambda route: route.fulfill(body=jpeg.tobytes(), content_type="image/jpeg")
    )


def drag(opened: Page, what: Locator, to: tuple[float, float]) -> None:
    box = what.bounding_box()
    assert box is not None
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(*to, steps=5)
    opened.mouse.up()


def recorded_number(place: Place, camera: str, at: datetime) -> int | None:
    """What the recording shows at an instant, asked of the files."""
    with place.client() as client:
        query = {"at": rfc3339(at), "exact": "true"}
        answer = client.get(f"cameras/{camera}/picture.jpg", params=query)
    assert answer.status_code == 200, answer.text
    grey = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    return frame_number(np.asarray(grey, np.uint8))


def test_a_wrong_password_is_said_and_a_right_one_lets_in(browser: Browser, place: Place) -> None:
    with page(browser, place.url) as opened:
        opened.locator("input[name=name]").fill("admin")
        opened.locator("input[name=password]").fill("wrong")
        opened.locator("button[type=submit]").click()
        expect(opened.get_by_role("alert")).to_be_visible()
        keep(opened, "login")
        opened.locator("input[name=password]").fill(PASSWORD)
        opened.locator("button[type=submit]").click()
        expect(opened.locator("nav.nav")).to_be_visible()


def test_a_link_chooses_a_password(browser: Browser, place: Place) -> None:
    with page(browser, f"{place.url}/#/setup/never-made") as opened:
        for field in opened.locator("input[type=password]").all():
            field.fill("long enough")
        opened.locator("button[type=submit]").click()
        expect(opened.get_by_role("alert")).to_be_visible()
        keep(opened, "setup")


def test_live_pictures_move(look: Page) -> None:
    first, later = moves(look.locator("video[data-camera=gate]"))
    assert first != later
    assert look.locator("video[data-camera=gate]").get_attribute("data-stream") == "sub"
    assert look.locator("video[data-camera=yard]").get_attribute("data-stream") == "main", "it has no other"
    moves(look.locator("video[data-camera=yard]"))


def test_live_is_enlarged_to_the_main_stream(look: Page) -> None:
    look.locator("[data-camera-tile=gate] button.tile-open").click()
    video = look.locator("video[data-camera=gate][data-stream=main]")
    moves(video)
    assert video.evaluate("video => video.videoWidth") == 1920


def test_what_the_browser_cannot_play_is_shown_as_pictures_and_said(look: Page) -> None:
    tile = look.locator("[data-camera-tile=lane]")
    expect(tile).to_contain_text("H.265")
    moves(tile.locator("img"), 10)


def test_the_timeline_shows_the_ledger(look: Page, place: Place) -> None:
    go(look, "timeline")
    summary = look.get_by_test_id("timeline-summary")
    expect(summary.locator("[data-camera]")).to_have_count(3)
    row = summary.locator("[data-camera=gate]")
    expect(row).not_to_have_attribute("data-recorded", "0")
    with place.client() as client:
        told = client.get("ledger?from=1d&camera=gate").json()["cameras"][0]
    assert int(row.get_attribute("data-recorded") or 0) == len(told["recorded"])
    assert int(row.get_attribute("data-events") or 0) >= 1


def settled(look: Page, place: Place, video: Locator) -> int:
    """The number that is shown, once it is that of the instant which the page says it shows."""
    numbers: list[int | None] = []

    def agree() -> bool:
        numbers[:] = shown_number(video), recorded_number(place, "gate", at_of(look))
        return numbers[0] == numbers[1] is not None

    wait_for(agree, "the frame of that instant")
    assert numbers[0] is not None
    return numbers[0]


def is_in_step(look: Page, place: Place, name: str, video: Locator) -> bool:
    expected, number = recorded_number(place, name, at_of(look)), shown_number(video)
    if expected is None or number is None:
        return False
    return abs((number - expected + FRAMES // 2) % FRAMES - FRAMES // 2) <= IN_STEP


def test_a_seek_shows_the_frame_of_that_instant(look: Page, place: Place) -> None:
    wanted = place.begin() + timedelta(seconds=6.5)
    go(look, f"timeline?at={rfc3339(wanted)}&camera=gate")
    video = look.locator("video[data-camera=gate]")
    expect(video).to_be_visible()
    wait_for(lambda: shown_number(video) is not None, "a picture")
    if look.get_by_test_id("play").get_attribute("aria-label") == "Pause":
        look.get_by_test_id("play").click()
    first = settled(look, place, video)
    for steps in (1, 2):
        look.keyboard.press(".")
        wait_for(lambda steps=steps: settled(look, place, video) == first + steps, "the next frame")  # type: ignore[misc]
    assert abs(at_of(look) - wanted) < timedelta(seconds=5)


def test_playback_runs_at_the_speed_that_is_chosen(look: Page, place: Place) -> None:
    go(look, f"timeline?at={rfc3339(place.begin())}&camera=gate")
    video = look.locator("video[data-camera=gate]")
    wait_for(lambda: shown_number(video) is not None, "a picture")
    if look.get_by_test_id("play").get_attribute("aria-label") == "Play":
        look.get_by_test_id("play").click()
    look.get_by_role("combobox", name="Speed").select_option("4")

    def speed() -> float:
        began, first = time.monotonic(), at_of(look)
        look.wait_for_timeout(1500)
        return (at_of(look) - first).total_seconds() / (time.monotonic() - began)

    wait_for(lambda: 2 < speed() < 6, "four times as quick as life")


def test_several_cameras_play_in_step(look: Page, place: Place) -> None:
    at = max(place.begin("gate"), place.begin("yard")) + timedelta(seconds=4)
    go(look, f"timeline?at={rfc3339(at)}&camera=gate&camera=yard")
    videos = [look.locator(f"video[data-camera={name}]") for name in ("gate", "yard")]
    for video in videos:
        wait_for(lambda video=video: shown_number(video) is not None, "a picture")  # type: ignore[misc]
    if look.get_by_test_id("play").get_attribute("aria-label") == "Pause":
        look.get_by_test_id("play").click()
    for name, video in zip(("gate", "yard"), videos, strict=True):
        wait_for(lambda name=name, video=video: is_in_step(look, place, name, video), f"{name} in step")  # type: ignore[misc]


def test_where_nothing_was_recorded_the_reason_is_said(look: Page, place: Place) -> None:
    go(look, f"timeline?at={rfc3339(place.begin() - timedelta(minutes=5))}&camera=gate")
    expect(look.get_by_test_id("gap")).to_be_visible()
    look.get_by_test_id("go-next").click()
    wait_for(lambda: shown_number(look.locator("video[data-camera=gate]")) is not None, "the next video")


def test_an_event_is_found_and_plays(look: Page) -> None:
    go(look, "events?label=person")
    card = look.get_by_test_id("events").locator("[data-event]").last
    expect(card).to_contain_text("person")
    wait_for(lambda: card.locator("img").evaluate("picture => picture.naturalWidth") > 0, "its picture")
    look.wait_for_timeout(500)
    keep(look, "events")
    card.click()
    expect(look.get_by_test_id("overlay")).to_be_visible()
    keep(look, "event")
    look.get_by_role("button", name=re.compile("Play", re.IGNORECASE)).first.click()
    moves(look.locator("video[data-camera=gate]"), 10)


def test_an_event_is_locked(look: Page, place: Place) -> None:
    go(look, "events?label=person")
    card = look.get_by_test_id("events").locator("[data-event]").last
    id = card.get_attribute("data-event")
    card.click()
    look.get_by_role("button", name="Lock").click()
    expect(look.get_by_role("button", name="Unlock")).to_be_visible()
    done = nvr("events", "show", str(id), "--json", "--config", str(place.config))
    assert json.loads(done.stdout)["locked"] is True


def test_an_export_is_downloaded_and_plays(look: Page, place: Place, tmp_path: Path) -> None:
    with place.client() as client:
        start = datetime.fromisoformat(
            client.get("segments?from=1h&camera=gate&limit=1").json()["segments"][0]["start"]
        )
        span = [(start + timedelta(seconds=at)).isoformat() for at in (2, 8)]
        client.post("exports", json={"camera": "gate", "from": span[0], "to": span[1]})
    go(look, "exports")
    job = look.get_by_test_id("exports").locator("[data-state=done]").first
    expect(job).to_be_visible()
    with look.expect_download() as download:
        job.locator("a[download], a[href*='/files/']").first.click()
    path = tmp_path / "clip.mp4"
    download.value.save_as(path)
    numbers = [one.number for one in shown(path)]
    assert len(numbers) >= 6 * FPS
    known = [number for number in numbers if number is not None]
    assert all((later - one) % FRAMES == 1 for one, later in pairwise(known))


def test_a_zone_is_drawn_and_stands_in_the_file(look: Page, place: Place) -> None:
    go(look, "zones/gate")
    expect(look.get_by_test_id("shapes")).to_be_visible()
    before = place.config.read_text()
    look.get_by_role("button", name=re.compile("zone", re.IGNORECASE)).first.click()
    look.get_by_role("button", name=re.compile("^Save", re.IGNORECASE)).click()
    wait_for(lambda: place.config.read_text() != before, "the file is changed")
    assert "zones:" in place.config.read_text()
    place.station.wait_until_logged("zones were changed")


@pytest.mark.parametrize(("width", "height"), [(768, 576), (540, 960)], ids=["4-3", "upright"])
def test_what_is_drawn_over_a_picture_lies_on_it(look: Page, width: int, height: int) -> None:
    give_pictures(look, width, height)
    saved: list[Any] = []

    def save(route: Route) -> None:
        if route.request.method != "PUT":
            return route.continue_()
        saved.append(route.request.post_data_json)
        return route.fulfill(json=route.request.post_data_json)

    look.route(re.compile(r"/cameras/lane/zones$"), save)
    go(look, "zones/lane")
    picture = look.locator(".tile img")
    wait_for(lambda: picture.evaluate("picture => picture.naturalWidth") == width, "the picture")
    look.get_by_role("button", name="Add zone").click()
    left, top, wide, high = drawn(picture)
    assert high <= 900, "it fits on the screen"
    drag(look, look.locator("[data-point='0']"), (left + 0.1 * wide, top + 0.2 * high))
    look.get_by_test_id("save").click()
    wait_for(lambda: saved, "it is saved")
    assert saved[0]["zones"][0]["points"][0] == pytest.approx([0.1, 0.2], abs=0.005)
    assert look.get_by_test_id("shapes").bounding_box() == pytest.approx(
        dict(zip(("x", "y", "width", "height"), drawn(picture), strict=True)), abs=1.5
    )


def test_the_box_of_an_event_lies_on_its_picture(look: Page) -> None:
    give_pictures(look, 768, 576)
    go(look, "events?label=person")
    look.get_by_test_id("events").locator("[data-event]").last.click()
    picture = look.locator(".tile img")
    wait_for(lambda: picture.evaluate("picture => picture.naturalWidth") == 768, "the picture")
    assert look.get_by_test_id("overlay").bounding_box() == pytest.approx(
        dict(zip(("x", "y", "width", "height"), drawn(picture), strict=True)), abs=1.5
    )


def test_zones_that_are_not_saved_are_asked_about(look: Page) -> None:
    go(look, "zones/lane")
    look.get_by_role("button", name="Add zone").click()
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept() if len(asked) > 1 else dialog.dismiss()

    look.on("dialog", answer)
    look.get_by_role("link", name="Live", exact=True).click()
    expect(look.get_by_test_id("shapes")).to_be_visible()
    look.get_by_role("link", name="Live", exact=True).click()
    expect(look.locator("[data-camera-tile=gate]")).to_be_visible()
    assert len(asked) == 2


def test_the_focus_goes_to_the_question_and_back(look: Page) -> None:
    go(look, "settings")
    row = look.get_by_role("listitem").filter(has_text="bert")
    row.get_by_role("button", name="Delete").press("Enter")
    expect(row.get_by_role("button", name="Really delete?")).to_be_focused()
    look.keyboard.press("Tab")
    look.keyboard.press("Enter")
    expect(row.get_by_role("button", name="Delete")).to_be_focused()


def test_a_login_in_another_tab_does_not_end_what_this_one_may(look: Page) -> None:
    go(look, "settings")
    base = look.url.partition("#")[0]
    answer = look.request.post(f"{base}api/v1/login", data={"name": "admin", "password": PASSWORD})
    assert answer.ok
    look.get_by_role("textbox", name="Name of the token").fill("of-the-first-tab")
    look.get_by_role("button", name="Add", exact=True).click()
    expect(look.get_by_test_id("token")).to_be_visible()


def test_what_was_not_told_is_asked_for(look: Page) -> None:
    cut = "retry: 100\n\n"
    look.route(re.compile(r"/events/live"), lambda route: route.fulfill(body=cut, content_type="text/event-stream"))
    go(look, "events")
    expect(look.get_by_test_id("events").locator("[data-event]").first).to_be_visible()
    with look.expect_request(re.compile(r"/events\?")):
        """Of a list that was there already."""


def test_a_day_is_typed(look: Page) -> None:
    go(look, "timeline")
    field = look.locator(".bar input[type=date]")
    field.focus()
    look.keyboard.type("01022020", delay=80)
    look.keyboard.press("Enter")
    expect(field).to_have_value("2020-01-02")
    expect(look.get_by_test_id("timeline")).to_have_attribute("data-from", re.compile("^2020-01-0[12]T"))


def test_a_link_to_a_camera_that_is_gone_shows_no_other(look: Page) -> None:
    go(look, "timeline?camera=gone")
    expect(look.locator("video")).to_have_count(1)
    expect(look.locator("video")).to_have_attribute("data-camera", "gone")
    expect(look.locator(".watchers")).to_contain_text("gone")


def test_a_viewer_sees_its_camera_and_no_other(browser: Browser, place: Place) -> None:
    with window(browser, place, name="bert") as opened:
        expect(opened.locator("[data-camera-tile]")).to_have_count(1)
        moves(opened.locator("video[data-camera=yard]"))
        keep(opened, "viewer")
        for path in ("timeline", "events", "settings"):
            go(opened, path)
            opened.wait_for_timeout(500)
            assert "gate" not in opened.locator("body").inner_text()
            assert "lane" not in opened.locator("body").inner_text()


@pytest.mark.parametrize("path", ["live", "timeline", "events", "exports", "settings"])
def test_on_a_phone_everything_fits(browser: Browser, place: Place, path: str) -> None:
    with window(browser, place, PHONE) as opened:
        go(opened, path)
        opened.wait_for_timeout(1500)
        assert opened.evaluate("document.documentElement.scrollWidth") <= PHONE.width
        expect(opened.locator("nav.nav")).to_be_in_viewport()
        keep(opened, f"phone-{path}")


def test_on_a_phone_the_way_out_of_a_gap_is_tapped(browser: Browser, place: Place) -> None:
    with window(browser, place, PHONE) as opened:
        at = rfc3339(place.begin() - timedelta(minutes=5))
        go(opened, f"timeline?at={at}&camera=gate&camera=yard")
        expect(opened.get_by_test_id("gap")).to_have_count(2)
        keep(opened, "phone-gap")
        expect(opened.get_by_test_id("go-next").first).to_be_in_viewport(ratio=0.9)
        opened.get_by_test_id("go-next").first.tap()
        wait_for(lambda: shown_number(opened.locator("video[data-camera=gate]")) is not None, "the next video")


def test_a_phone_on_its_side_shows_a_picture(browser: Browser, place: Place) -> None:
    with window(browser, place, Size(844, 390, touch=True)) as opened:
        go(opened, f"timeline?at={rfc3339(place.begin() + timedelta(seconds=5))}&camera=gate")
        video = opened.locator("video[data-camera=gate]")
        wait_for(lambda: shown_number(video) is not None, "a picture")
        box = video.bounding_box()
        assert box is not None
        assert box["width"] >= 300
        assert opened.evaluate("document.documentElement.scrollWidth") <= 844
        keep(opened, "phone-on-its-side")


def test_in_the_dark_and_in_chinese(browser: Browser, place: Place) -> None:
    with window(browser, place, Size(1400, 900, dark=True), language="zh-CN") as opened:
        assert opened.locator("html").get_attribute("lang", timeout=5000) in ("zh", "zh-CN", "zh-Hans")
        go(opened, "timeline")
        opened.wait_for_timeout(1500)
        assert re.search(r"[\u4e00-\u9fff]", opened.locator("nav.nav").inner_text())
        red, green, blue = (
            int(part)
            for part in re.findall(r"\d+", opened.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
        )
        assert max(red, green, blue) < 100
        keep(opened, "dark-chinese")
