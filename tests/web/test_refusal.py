"""Errors: one form, a code for programs, words for people, and nothing that is secret."""

from __future__ import annotations

import asyncio
import errno
import json

import httpx
import pytest
from fastapi import FastAPI

from nvr.errors import CatalogueError, ConfigError, NvrError, StorageError
from nvr.web import refusal
from nvr.web.refusal import Refusal


def ask(error: Exception) -> httpx.Response:
    app = FastAPI()
    refusal.install(app)

    @app.get("/")
    async def broken() -> None:
        raise error

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return await client.get("/")

    return asyncio.run(get())


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refusal(409, "odd", "it is odd", {"Retry-After": "3"}, next=None), 409, "odd"),
        (CatalogueError("the catalogue is locked"), 503, "catalogue"),
        (StorageError("the disk is gone"), 503, "storage"),
        (OSError(errno.ENOSPC, "No space left on device"), 503, "storage"),
        (ConfigError("nvr.yaml:3: wrong"), 422, "configuration"),
        (NvrError("it failed"), 500, "failed"),
    ],
)
def test_an_error_becomes_an_answer(error: Exception, status: int, code: str) -> None:
    answer = ask(error)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "error",
    [
        CatalogueError("no catalogue at /srv/video/nvr.db"),
        StorageError("/srv/video has no .nvr-volume any more"),
        OSError(errno.EIO, "Input/output error", "/srv/video/nvr.db"),
        NvrError("/srv/video is odd"),
    ],
)
def test_where_things_are_on_the_machine_is_in_the_log_alone(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    message = ask(error).json()["error"]["message"]
    assert "/srv" not in message
    assert "log" in message
    assert "/srv/video" in caplog.text


def test_more_is_told_beside_the_words() -> None:
    answer = ask(Refusal(404, "nothing_recorded", "nothing", next="2026"))
    assert answer.json() == {"error": {"code": "nothing_recorded", "message": "nothing", "next": "2026"}}


def test_a_password_in_an_address_is_not_passed_on() -> None:
    answer = ask(NvrError("rtsp://viewer:secret@camera/ does not answer"))
    assert "secret" not in json.dumps(answer.json())
