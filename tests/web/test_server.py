"""The web process as nvr start runs it: started, killed, restarted, ended, without a lost packet."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from nvr import config
from nvr.catalogue.store import Catalogue
from nvr.clock import EPOCH
from nvr.errors import NvrError
from nvr.web.server import listen
from tests.fakes.clip import write
from tests.fakes.ports import free_port
from tests.fakes.station import WAIT_S, Station, nvr, wait_for


def configured(folder: Path, web: str) -> Path:
    video = write(folder / "clip.mp4", frames=100, gop=25)
    path = folder / "nvr.yaml"
    path.write_text(
        f"storage: storage\nrecording: {{segment: 5s}}\nweb: {web}\n"
        f"cameras:\n  hik1: {{url: {video}, loop: true, detect: off}}\n"
    )
    return path


def pid_of(path: Path, process: str) -> int:
    import json

    done = nvr("status", "--json", "--config", str(path))
    return next((one["pid"] for one in json.loads(done.stdout)["processes"] if one["name"] == process), 0)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=WAIT_S).status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(found: Callable[[], bool], what: str) -> None:
    """``wait_for`` what is asked of a page that may not be there, or not answer in time."""

    def asked() -> bool:
        with suppress(httpx.HTTPError):
            return found()
        return False

    wait_for(asked, what)


@pytest.mark.slow
def test_the_page_dies_and_comes_again_and_nothing_recorded_is_lost(tmp_path: Path) -> None:
    port = free_port()
    path = configured(tmp_path, f"{{port: {port}}}")
    url = f"http://127.0.0.1:{port}"
    with Station(path) as station, httpx.Client(base_url=f"{url}/api/v1/", timeout=WAIT_S) as client:
        wait_for(lambda: answers(url), "the page")
        log = station.log()
        link = re.search(rf"{url}/#/setup/(\S+)", log)
        assert link is not None, log
        assert client.post("setup", json={"link": link[1], "password": "a good one"}).status_code == 200
        wait_until(lambda: client.get("cameras").json()[0]["state"] == "recording", "recording")
        for number in (signal.SIGKILL, signal.SIGTERM):
            wait_for(lambda: pid_of(path, "web"), "its pulse")
            pid = pid_of(path, "web")
            assert pid, "0 would be the tests themselves"
            os.kill(pid, number)
            wait_for(lambda pid=pid: pid_of(path, "web") not in (0, pid) and answers(url), "the page again")  # type: ignore[misc]
        assert client.get("me").status_code == 200, "the session is still there"
        wait_until(lambda: len(client.get("segments?from=1h").json()["segments"]) >= 2, "two segments")
        station.process.send_signal(signal.SIGTERM)
        assert station.process.wait(WAIT_S) == 0
    with Catalogue.open(tmp_path / "storage/nvr.db", readonly=True) as catalogue:
        runs = list(catalogue.runs(EPOCH))
        segments = list(catalogue.segments(EPOCH))
    assert len(runs) == 1, "the recorder was not disturbed"
    for one, following in pairwise(segments):
        assert abs(following.start - one.end) <= timedelta(milliseconds=1)
    assert not answers(url)


@pytest.mark.slow
def test_without_a_page_nothing_listens_and_no_ring_is_kept(tmp_path: Path) -> None:
    path = configured(tmp_path, "false")
    with Station(path) as station:
        wait_for(lambda: pid_of(path, "recorder.hik1"), "the recorder")
        assert pid_of(path, "web") == 0
        volume = (tmp_path / "storage/.nvr-volume").read_text().strip()
        assert not list(Path(f"/dev/shm/nvr-{volume}").glob("*.ring"))
        station.process.send_signal(signal.SIGTERM)
        assert station.process.wait(WAIT_S) == 0


def load(folder: Path, web: str) -> config.Config:
    path = folder / "nvr.yaml"
    path.write_text(f"storage: storage\nweb: {web}\ncameras:\n  hik1: {{host: 127.0.0.1}}\n")
    return config.load(path, resolve=False)


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(NvrError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use; set web"):
            listen(load(tmp_path, f"{{port: {port}}}"))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_it_listens_where_it_is_told(tmp_path: Path, address: str) -> None:
    port = free_port()
    try:
        listening = listen(load(tmp_path, f"{{listen: '{address}', port: {port}}}"))
    except NvrError:
        assert address == "::1", "this machine has no IPv6"
        return
    with listening, socket.create_connection(listening.getsockname()[:2], timeout=WAIT_S) as early:
        assert early.getpeername()[1] == port, "who comes before the page is served waits and is not refused"


def certificate(folder: Path) -> tuple[Path, Path]:
    files = folder / "cert.pem", folder / "key.pem"
    how = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *how.split(), "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return files


def test_a_certificate_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(NvrError, match="want a certificate and its key as PEM files"):
        listen(load(tmp_path, "{certificate: cert.pem, private_key: key.pem}"))
    with pytest.raises(NvrError, match="No such file"):
        listen(load(tmp_path, "{certificate: none.pem, private_key: key.pem}"))


@pytest.mark.slow
def test_over_tls_the_cookie_is_for_tls_alone(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    port = free_port()
    path = configured(tmp_path, f"{{port: {port}, certificate: {cert}, private_key: {key}}}")
    with Station(path) as station:
        station.wait_until_logged("/#/setup/")
        link = re.search(r"/#/setup/(\S+)", station.log())
        assert link is not None
        context = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(base_url=f"https://127.0.0.1:{port}/api/v1/", verify=context, timeout=WAIT_S) as client:
            wait_until(lambda: client.get("me").status_code == 401, "the page")
            answer = client.post("setup", json={"link": link[1], "password": "a good one"})
            assert "secure" in answer.headers["set-cookie"].lower()
            assert "strict-transport-security" in answer.headers
            assert client.get("me").status_code == 200
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=WAIT_S)
        station.process.send_signal(signal.SIGTERM)
        assert station.process.wait(WAIT_S) == 0
