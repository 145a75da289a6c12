"""The API as a whole: described completely, and answering as described whatever is asked of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok

from tests.fakes.site import Past, Site
from tests.fakes.station import WAIT_S

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUIET = list(HealthCheck)
STREAMS = {"/api/v1/events/live", "/api/v1/cameras/{camera}/live.mjpeg"}
"""These do not end."""
LOGINS = {"/api/v1/login", "/api/v1/setup", "/api/v1/me/password", "/api/v1/logout"}
"""What is random there is a wrong password; tests of their own look at them."""


def description(site: Site) -> dict[str, Any]:
    told: dict[str, Any] = httpx.get(f"{site.url}/api/v1/openapi.json", headers=bearer(site), timeout=WAIT_S).json()
    return told


def bearer(site: Site) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.token()}"}


def test_everything_is_described(site: Site) -> None:
    told = description(site)
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path} says nothing of itself"
            assert operation["tags"], path
            assert {"401", "422", "503"} <= set(operation["responses"]), path
            good = [code for code in operation["responses"] if code.startswith("2")]
            assert len(good) == 1, path
    assert told["info"]["title"] == "nvr"
    assert "password" not in str(told.get("servers", ""))


@pytest.mark.slow
def test_whatever_is_asked_the_answer_is_as_described(site: Site, past: Past) -> None:
    """Schemathesis makes up requests, right and wrong ones, from the description."""
    headers = bearer(site)
    schema = schemathesis.openapi.from_dict(description(site))
    schema.config.update(base_url=site.url)
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path in STREAMS | LOGINS or operation.method.upper() == "DELETE":
            continue
        tried += 1

        @settings(
            max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        ask()
    assert tried > 25
    assert httpx.get(f"{site.url}/health", timeout=WAIT_S).json() == {"status": "ok"}
