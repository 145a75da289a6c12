"""A wrong password is tried once: cameras lock the account after five."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.fakes.rtsp import ScriptedCamera
from tests.faults.ledger import Ledger
from tests.faults.result import Limit, Result
from tests.faults.stage import Stage, steady, wait_until

ONCE = Limit(None, None, "exactly 1 login")


def run(quick: bool) -> Iterator[Result]:
    seconds = 10 if quick else 300
    with ThreadPoolExecutor() as pool:
        for results in pool.map(lambda part: list(part(seconds)), (_alone, _shared)):
            yield from results


def _alone(seconds: int) -> Iterator[Result]:
    wrong = ScriptedCamera(steady(), username="viewer", password="wrong")
    changed = ScriptedCamera(steady(), username="viewer", password="right")
    with Stage({"wrong": wrong, "changed": changed}) as stage:
        wrong.password = "right"  # what nvr was told is no longer so
        stage.start()
        stage.wait_until_recording(30, "changed")
        changed.password = "new"
        changed.drop()
        wait_until(lambda: all(_refused(camera) for camera in stage.cameras.values()), "a refused login of each")
        time.sleep(seconds)
        refused = {name: _refused(camera) for name, camera in stage.cameras.items()}
        stage.stop()
        problems = Ledger(stage).problems(["changed"])
        stage.write_config()
        stage.start()
        back = {name: stage.back_within(name, stage.started) for name in stage.cameras}
        time.sleep(2)
        stage.stop()
    yield _result("wrong password", refused["wrong"], seconds, back["wrong"], ())
    yield _result("password changed while running", refused["changed"], seconds, back["changed"], problems)


def _shared(seconds: int) -> Iterator[Result]:
    """Channels of one device: its account is locked for all of them."""
    device = ScriptedCamera(steady(), username="viewer", password="wrong")
    with Stage({"channel1": device}) as stage:
        text = stage.config.read_text()
        channel = text.splitlines()[-1]
        more = [channel.replace("channel1", f"channel{n}").replace("/101", f"/{n}01") for n in (2, 3, 4)]
        stage.config.write_text("\n".join([text.rstrip(), *more, ""]))
        device.password = "right"
        stage.start()
        wait_until(lambda: _refused(device), "a refused login")
        time.sleep(seconds)
        refused = _refused(device)
        stage.stop()
    yield _result("wrong password, four channels of one device", refused, seconds, None, ())


def _refused(camera: ScriptedCamera) -> int:
    return sum(request.is_refused_login for request in camera.requests)


def _result(fault: str, refused: int, seconds: int, back: float | None, problems: tuple[str, ...]) -> Result:
    if refused != 1:
        problems = (*problems, f"{refused} refused logins")
    again = "" if back is None else f"; recorded {back:.1f} s after the start with the right one"
    return Result(fault, ONCE, None, back, problems, f"{refused} refused login(s) in {seconds} s{again}")
