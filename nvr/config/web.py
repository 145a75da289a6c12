"""Whether there is a web page, and where: the keys of ``web``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from nvr.config.echo import shown
from nvr.config.keys import Keys, key
from nvr.config.value import AnyPath, Host

PORT = 8642


class Web(Keys):
    """Whether there is a web page, and where."""

    enabled: bool = key(True, "Whether nvr start serves a web page and the API.")
    listen: Host = key("127.0.0.1", "Address it listens on; 0.0.0.0 or :: is every network that this machine is in.")
    port: int = key(PORT, "Port it listens on.", ge=1, le=65535)
    certificate: AnyPath | None = key(None, "For https: the certificate and those that sign it, a PEM file.")
    private_key: AnyPath | None = key(None, "For https: the certificate's private key, a PEM file.")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key go together: give both, or neither")
        return self

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.listen, self.listen)
        return f"{'http' if self.certificate is None else 'https'}://{f'[{host}]' if ':' in host else host}:{self.port}"


def switched(given: object) -> object:
    """``web: false`` is short for ``web: {enabled: false}``; so are ``off`` and ``on``, which are text in YAML 1.2."""
    words: Mapping[Any, bool] = {False: False, True: True, "off": False, "on": True}
    if isinstance(given, bool | str):
        if given not in words:
            raise ValueError(f"got {shown(given)}, want true, false, or keys such as listen and port")
        return {"enabled": words[given]}
    if isinstance(given, Mapping | Web):
        return given
    raise ValueError(f"got {shown(given)}, want true, false, or keys such as listen and port")
