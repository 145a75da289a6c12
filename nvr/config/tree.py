"""The configuration as a frozen tree: every key, its default and its limits. ``combination`` says how keys combine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from nvr.config.address import hikvision, is_file
from nvr.config.alerts import Alerts, Switch, written_out
from nvr.config.combination import combined, misfits, without_login
from nvr.config.detect import Detect, Mode, spelled_out
from nvr.config.keys import Keys, key
from nvr.config.value import (
    AnyPath,
    DurationSchema,
    Host,
    MostSize,
    Name,
    Secret,
    Size,
    Text,
    Url,
    Week,
    span,
)
from nvr.config.web import Web, switched
from nvr.model import Address, StreamName

_Segment = Annotated[timedelta, span(timedelta(seconds=5), timedelta(minutes=15)), DurationSchema]
_Kept = Annotated[timedelta, span(timedelta(), timedelta(days=36500)), DurationSchema]
_Roll = Annotated[timedelta, span(timedelta(), timedelta(minutes=15)), DurationSchema]


class Recording(Keys):
    """How video is written."""

    segment: _Segment = key("60s", "Length of a video file, 5s to 15m; it is cut at the first key frame after that.")


class Retention(Keys):
    """How long video is kept."""

    continuous: _Kept = key("7d", "How long video without events is kept, such as 12h or 7d.")
    events: _Kept = key("30d", "How long video around events is kept, and snapshots.")
    max_size: MostSize | None = key(None, "Most that the video of all cameras takes: the oldest goes, at any age.")
    min_free: Size = key("5GB", "Space kept free, such as 500MB or 5GB: the oldest video goes for it, at any age.")
    min_kept: _Kept = key("0s", "Video younger than this does not go to make room, even if recording has to stop.")
    pre_roll: _Roll = key("10s", "How much video before an event counts as around it, at most 15m.")
    post_roll: _Roll = key("10s", "How much video after an event counts as around it, at most 15m.")


class CameraRetention(Keys):
    """How long video of one camera is kept, where that differs from the other cameras."""

    continuous: _Kept | None = key(None, "How long its video without events is kept.")
    events: _Kept | None = key(None, "How long its video around events is kept, and its snapshots.")
    max_size: MostSize | None = key(None, "Most that its video takes: its oldest goes, at any age.")


class Shared(Keys):
    """The keys of a camera, each of which ``defaults`` may give for all."""

    host: Host | None = key(None, "Host name or IP address of a Hikvision camera or recorder.")
    port: int = key(554, "RTSP port of host.", ge=1, le=65535)
    channel: int = key(1, "Channel of host: 1 for a camera, 1 and up for the cameras of a recorder.", ge=1, le=999)
    url: Url | None = key(None, "In place of host: an rtsp:// or rtsps:// address, or the path of a video file.")
    sub_url: Url | None = key(None, "With url: the address of the small stream that is looked at.")
    loop: bool = key(False, "Whether a video file starts again at its end.")
    username: Text | None = key(None, "User at the camera; one that may only view is best.")
    password: Secret = key(None, "Password at the camera: text, {env: NAME} or {file: PATH}.")
    transport: Literal["tcp", "udp"] = key("tcp", "How packets travel; udp loses some on a busy network.")
    record: Literal["continuous", "events", "off"] = key(
        "continuous", "What is recorded: everything, what is around events, or nothing."
    )
    schedule: Week | None = key(None, "Hours of the week that are recorded, in local time; always if not given.")
    retention: CameraRetention = key({}, "How long its video is kept, where that differs from the other cameras.")
    audio: Literal["auto", "off"] = key("auto", "Whether sound is recorded where the camera has it.")
    detect: Annotated[Detect, BeforeValidator(spelled_out, json_schema_input_type=Mode | Detect)] = key(
        "objects", "What is looked for: off, motion, objects or camera, or a mapping that says more."
    )
    alerts: Annotated[Alerts, BeforeValidator(written_out, json_schema_input_type=Switch | Alerts)] = key(
        "off", "Whether the camera's own events are taken over: off, on, or a mapping that says more."
    )

    @model_validator(mode="before")
    @classmethod
    def _login_apart(cls, keys: Any) -> Any:
        return without_login(keys) if isinstance(keys, Mapping) else keys


class Camera(Shared):
    """One camera: exactly one of ``host`` and ``url`` is given, and no URL holds a login."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["host", "url"]}})

    @model_validator(mode="wrap")
    @classmethod
    def _fits(cls, keys: Any, handler: ModelWrapValidatorHandler[Camera]) -> Camera:
        """Report keys that do not go together beside whatever else is wrong, not only once the rest is right."""
        wrong = [
            InitErrorDetails(type=PydanticCustomError("misfit", "{text}", {"text": text}), loc=place, input=None)
            for place, text in (misfits(keys) if isinstance(keys, Mapping) else ())
        ]
        try:
            camera = handler(keys)
        except ValidationError as error:
            if not wrong:
                raise
            wrong += [
                InitErrorDetails(type=one["type"], loc=one["loc"], input=one["input"], ctx=one.get("ctx", {}))
                for one in error.errors(include_url=False)
            ]
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong, hide_input=True)
        return camera

    @property
    def main(self) -> Address:
        """The stream that is recorded."""
        return self._address(self.url if self.url is not None else self._hikvision("main"))

    @property
    def sub(self) -> Address | None:
        """The small stream, None where the camera has none."""
        if self.url is None:
            return self._address(self._hikvision("sub"))
        return None if self.sub_url is None else self._address(self.sub_url)

    @property
    def analysed(self) -> StreamName:
        """The stream that is looked at."""
        return "main" if self.detect.stream == "main" or self.sub is None else "sub"

    def _hikvision(self, stream: StreamName) -> str:
        assert self.host is not None, "checked when the camera was read"
        return hikvision(self.host, self.port, self.channel, stream)

    def _address(self, url: str) -> Address:
        if is_file(url):
            return Address(url, loop=self.loop)
        password = None if self.password is None else self.password.get_secret_value()
        return Address(url, self.username, password, self.transport)


class Config(Keys):
    """Everything ``nvr.yaml`` says. Frozen; relative paths in it started at the file's folder and are absolute here."""

    storage: AnyPath = key("storage", "Folder of the recordings; a relative one starts at this file's folder.")
    database: AnyPath | None = key(None, "File of the catalogue, nvr.db in the storage folder if not given.")
    recording: Recording = key({}, "How video is written.")
    retention: Retention = key({}, "How long video is kept.")
    web: Annotated[Web, BeforeValidator(switched, json_schema_input_type=bool | Literal["on", "off"] | Web)] = key(
        True, "Whether there is a web page: false, true, or a mapping that says where."
    )
    defaults: Shared = key({}, "Keys for all cameras; what a camera says itself wins, in detect key by key.")
    cameras: dict[Name, Camera] = key(
        ..., "The cameras by name: small letters, digits and hyphens, at most 32.", min_length=1
    )

    def without_passwords(self) -> Config:
        """The same, with nothing in it that opens a camera: for processes that have no business there."""
        cameras = {name: camera.model_copy(update={"password": None}) for name, camera in self.cameras.items()}
        defaults = self.defaults.model_copy(update={"password": None})
        return self.model_copy(update={"cameras": cameras, "defaults": defaults})

    @model_validator(mode="before")
    @classmethod
    def _share(cls, keys: Any) -> Any:
        if not isinstance(keys, Mapping) or not isinstance(cameras := keys.get("cameras"), Mapping):
            return keys
        shared = keys.get("defaults")
        shared = shared if isinstance(shared, Mapping) else {}
        own = {name: {} if camera is None else camera for name, camera in cameras.items()}
        return {
            **keys,
            "cameras": {
                name: combined(shared, camera) if isinstance(camera, Mapping) else camera
                for name, camera in own.items()
            },
        }
