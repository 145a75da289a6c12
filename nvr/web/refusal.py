"""What the API answers when it does not do what was asked: always the same form, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from nvr.errors import CatalogueError, ConfigError, NvrError, StorageError
from nvr.logs import redact

log = logging.getLogger(__name__)
CODES = {400: "malformed", 404: "not_found", 405: "wrong_method", 413: "too_large", 408: "too_slow"}


_ANSWERS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (CatalogueError, 503, "catalogue", "the catalogue cannot be used now; the log of nvr says more"),
    (StorageError, 503, "storage", "the storage folder cannot be used now; the log of nvr says more"),
    (OSError, 503, "storage", "the disk refused; the log of nvr says more"),
    (NvrError, 500, "failed", "nvr could not do that; its log says more"),
)


class Told(BaseModel):
    """A code for programs, and for people what was wrong and what to do."""

    code: str
    message: str


class Problem(BaseModel):
    """The body of every answer from 400 on."""

    error: Told


class Refusal(Exception):
    """Raised by whoever handles a request; becomes its answer."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.more = more


class CutShort(Exception):
    """An answer that has begun cannot be ended: the connection is closed, so that the client knows."""


def answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    body = {"error": {"code": code, "message": redact(message), **more}}
    return JSONResponse(body, status, dict(headers or {}) | {"Cache-Control": "no-store"})


def install(app: FastAPI) -> None:
    """Have every error answered in this form."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(NvrError, _failed)
    app.add_exception_handler(OSError, _failed)
    app.add_exception_handler(Exception, _mistaken)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return answer(error.status, error.code, error.message, error.headers, **error.more)


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    """Names what was malformed, but not its value: it may be a password."""
    assert isinstance(error, RequestValidationError)
    told = [f"{'.'.join(map(str, one['loc'][1:])) or 'the body'}: {one['msg']}" for one in error.errors()[:5]]
    return answer(422, "malformed", "; ".join(told))


async def _plain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "refused")
    message = {404: "there is nothing at this address", 405: "this address does not take that method"}
    return answer(error.status_code, code, message.get(error.status_code, str(error.detail)), error.headers)


async def _mistaken(_: Request, error: Exception) -> JSONResponse:
    """The answer to a bug, which whoever serves the application logs."""
    return answer(500, "bug", "nvr made a mistake; its log says more")


async def _failed(_: Request, error: Exception) -> JSONResponse:
    """What the error says names folders of the machine, and is not for everybody: the log has it."""
    log.warning("a request failed: %s", redact(str(error)))
    if isinstance(error, ConfigError):
        return answer(422, "configuration", str(error))
    for kinds, status, code, text in _ANSWERS:
        if isinstance(error, kinds):
            return answer(status, code, text, {"Retry-After": "5"} if status == 503 else None)
    raise AssertionError(f"nothing is answered to {type(error).__name__}")
