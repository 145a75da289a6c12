"""The page's files, as they are built with the package."""

from __future__ import annotations

import asyncio
import gzip
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from nvr.web import page
from tests.fakes.site import Site
from tests.fakes.station import WAIT_S

MOST_BYTES = 250_000
"""The first load, compressed."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "assets").mkdir()
        (folder / "index.html").write_text("<!doctype html><title>nvr</title>")
        (folder / "icon.svg").write_text("<svg/>")
        (folder / "assets/app-1234.js").write_text("1")
        yield folder


class Client:
    """Asks an application without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.get(path)

        return asyncio.run(ask())


def served(folder: Path) -> Client:
    app = FastAPI()
    page.install(app, folder)
    return Client(app)


def test_the_page_is_asked_for_anew_and_its_parts_are_kept(folder: Path) -> None:
    client = served(folder)
    assert client.get("/").headers["cache-control"] == "no-cache"
    assert "immutable" in client.get("/assets/app-1234.js").headers["cache-control"]
    assert client.get("/icon.svg").status_code == 200
    assert client.get("/assets/nothing.js").status_code == 404


def test_nothing_else_of_the_package_is_served(folder: Path) -> None:
    client = served(folder)
    for path in ("/index.html", "/assets/../index.html", "/..", "/assets/%2e%2e/icon.svg"):
        answer = client.get(path)
        assert answer.status_code == 404 or answer.text.startswith(("<!doctype", "<svg"))


def test_an_installation_without_its_page_says_so(tmp_path: Path) -> None:
    answer = served(tmp_path).get("/")
    assert answer.status_code == 503
    assert "without its page" in answer.text


def test_the_page_that_was_built_is_there_and_light(site: Site) -> None:
    index = httpx.get(f"{site.url}/", timeout=WAIT_S)
    assert index.status_code == 200, "scripts/install builds it"
    parts = re.findall(r'(?:src|href)="(/[^"]+)"', index.text)
    assert any(part.endswith(".js") for part in parts)
    size = len(gzip.compress(index.content))
    for part in parts:
        answer = httpx.get(f"{site.url}{part}", timeout=WAIT_S)
        assert answer.status_code == 200, part
        size += len(gzip.compress(answer.content))
    assert size <= MOST_BYTES


def test_the_page_holds_nothing_that_its_policy_forbids() -> None:
    index = (page.FOLDER / "index.html").read_text()
    assert "style=" not in index
    assert not re.search(r"<script(?![^>]*src=)", index)
    assert "http://" not in index
    assert "https://" not in index
