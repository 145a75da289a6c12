"""The page itself: files that were built with the package. Needs no login: it holds nothing but the program."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "dist"
_MISSING = (
    "nvr was installed without its page: install it from a wheel, or with pip install, which builds the page.\n"
    "The API is at /api/v1 all the same.\n"
)


def install(app: FastAPI, folder: Path = FOLDER) -> None:
    """Serve the page at ``/`` and what it needs below."""
    index = folder / "index.html"

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        if not index.is_file():
            return PlainTextResponse(_MISSING, 503)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    if not index.is_file():
        return
    app.mount("/assets", _Assets(directory=folder / "assets", check_dir=False), name="assets")
    for path in folder.iterdir():
        if path.is_file() and path.name != "index.html":
            _serve(app, path)


def _serve(app: FastAPI, path: Path) -> None:
    @app.get(f"/{path.name}", include_in_schema=False)
    def file() -> Response:
        return FileResponse(path, headers={"Cache-Control": "no-cache"})


class _Assets(StaticFiles):
    """Their names hold a hash of what is in them, so that they may be kept for ever."""

    def file_response(self, *args: object, **options: object) -> Response:
        response = super().file_response(*args, **options)  # type: ignore[arg-type]  # passed on
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
