from __future__ import annotations

import json
import re
import subprocess
import sys
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr import config
from nvr.config import Alerts, CameraRetention, Detect, Recording, Retention, Shared, Web
from nvr.errors import ConfigError

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current and the home folder, both empty, and an environment without configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NVR_CONFIG", raising=False)
    return tmp_path


def load(text: str, *, resolve: bool = True) -> config.Config:
    path = Path("nvr.yaml")
    path.write_text(text)
    return config.load(path, resolve=resolve)


def refusal(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return str(caught.value).split("\n")


def test_a_file_becomes_a_configuration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIK1_PASSWORD", "hunter2")
    found = load(
        "retention: {events: 14d}\ncameras:\n  hik1: {host: cam, username: u, password: {env: HIK1_PASSWORD}}\n"
    )
    assert found.storage == folder / "storage"
    assert found.retention.events == timedelta(days=14)
    assert found.cameras["hik1"].main.password == "hunter2"


def test_paths_start_at_the_folder_of_the_file_not_at_the_current_one(folder: Path) -> None:
    (folder / "etc").mkdir()
    (folder / "etc" / "clip.mp4").touch()
    (folder / "etc" / "secret").write_text("hunter2\n")
    path = folder / "etc" / "nvr.yaml"
    path.write_text("storage: video\ncameras: {a: {url: clip.mp4, username: u, password: {file: secret}}}\n")
    found = config.load(path)
    assert found.storage == folder / "etc" / "video"
    assert found.cameras["a"].main.url == str(folder / "etc" / "clip.mp4")


def test_every_problem_is_told_at_once_in_the_order_of_the_lines() -> None:
    assert refusal(
        "retention:\n  events: 7 days\n  min_free: 5\n"
        "cameras:\n  hik1:\n    host: cam\n    port: 0\n    pasword: hunter2\n  hik1:\n    hots: cam\n"
    ) == [
        'nvr.yaml:2: retention.events: got "7 days", want a duration such as 90s, 1h or 7d',
        "nvr.yaml:3: retention.min_free: got 5, want a size such as 500GB, 200MB or 1TiB",
        "nvr.yaml:9: cameras.hik1: given twice, first on line 5: remove one of them",
        'nvr.yaml:9: cameras.hik1: has no address: want "host: 192.168.1.64" or "url: rtsp://…"',
        "nvr.yaml:10: cameras.hik1.hots: unknown key, did you mean host?",
    ]


def test_a_key_given_twice_is_refused_even_if_all_else_is_right() -> None:
    text = "cameras:\n  a: {host: cam}\n  a: {host: cam}\n"
    assert refusal(text) == ["nvr.yaml:3: cameras.a: given twice, first on line 2: remove one of them"]


def test_missing_secrets_and_files_are_told_with_their_line() -> None:
    assert refusal(
        "cameras:\n  a:\n    url: clip.mp4\n    username: u\n    password: {env: NOT_SET}\n"
        "    detect:\n      model: m.onnx\n"
    ) == [
        'nvr.yaml:3: cameras.a.url: got "clip.mp4": there is no such video file, and an address starts with rtsp://',
        "nvr.yaml:5: cameras.a.password: the environment variable NOT_SET is not set: set it before nvr starts",
        f"nvr.yaml:7: cameras.a.detect.model: there is no file {Path.cwd()}/m.onnx",
    ]


def test_what_lies_outside_the_file_is_not_needed_to_look_at_recordings() -> None:
    text = "cameras:\n  a: {url: clip.mp4, username: u, password: {env: NOT_SET}, detect: {model: m.onnx}}\n"
    assert load(text, resolve=False).cameras["a"].password is None
    with pytest.raises(ConfigError, match="cameras"):
        load("storage: x\n", resolve=False)


def test_anchors_and_merge_keys_work() -> None:
    found = load(
        "cameras:\n  a: &a {host: cam, detect: &d {fps: 2}}\n  b: {<<: *a, channel: 2}\n  c: {host: x, detect: *d}\n"
    )
    assert [(one.channel, one.detect.fps) for one in found.cameras.values()] == [(1, 2), (2, 2), (1, 2)]


SECRETS = [
    "pasword: hunter2",
    "pasword: [hunter2]",
    "hots: {password: hunter2}",
    "password: [hunter2]",
    "password: {hunter2}",
    "password: {env: NOT_SET, value: hunter2}",
    "password: *hunter2",
    "password: !hunter2",
    "password: @hunter2",
    "password: &hunter2",
    "password: hunter2: x",
    "password: 'hunter2",
    'password: "hunter2\\q"',
    "username: {password: hunter2}",
    "host: viewer:hunter2@cam",
    "sub_url: rtsp://viewer:hunter2@cam",
    "url: rtsp://viewer:hunter2@cam",
    "url: rtsp://viewer:hunter2@cam:0",
    "url: http://viewer:hunter2@cam",
    "url: rtsp://viewer:/hunter2@cam",
    "url: rtsp://viewer:hunter2%ff@cam",
    "url: rtsp:/viewer:hunter2@cam",
    "url: viewer:hunter2@cam",
    "detect: rtsp://viewer:hunter2@cam",
    "schedule: {'rtsp://viewer:hunter2@cam': x}",
    "schedule: {mon: 'rtsp://viewer:hunter2@cam'}",
]


@pytest.mark.parametrize("line", SECRETS)
def test_no_error_and_no_traceback_shows_a_password(line: str) -> None:
    path = Path("nvr.yaml")
    path.write_text(f"cameras:\n  a:\n    {line}\n    port: 0\n")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_password_is_masked_in_the_printed_configuration() -> None:
    found = load("cameras: {a: {url: 'rtsp://viewer:hunter2@cam'}, b: {host: x, username: u, password: hunter2}}\n")
    assert "hunter2" not in f"{found} {found!r} {found.model_dump_json()} {found.cameras['a'].main!r}"


def test_the_configuration_is_looked_for_in_this_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"neither \./nvr\.yaml nor ~/\.config/nvr/nvr\.yaml; write one"):
        config.find(None)
    usual = folder / "home" / ".config" / "nvr" / "nvr.yaml"
    usual.parent.mkdir(parents=True)
    usual.touch()
    assert config.find(None) == usual
    (folder / "nvr.yaml").touch()
    assert config.find(None) == Path("nvr.yaml")
    (folder / "other.yaml").touch()
    monkeypatch.setenv("NVR_CONFIG", "other.yaml")
    assert config.find(None) == Path("other.yaml")
    assert config.find(Path("mine.yaml")) == Path("mine.yaml")


def test_a_variable_that_names_no_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVR_CONFIG", "missing.yaml")
    with pytest.raises(ConfigError, match=r"NVR_CONFIG names missing\.yaml, which does not exist"):
        config.find(None)
    monkeypatch.setenv("NVR_CONFIG", "")
    with pytest.raises(ConfigError, match="no configuration"):
        config.find(None)


def test_sizes_are_read_by_the_configuration() -> None:
    assert config.parse_size("5GB") == 5_000_000_000


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every mapping that the schema describes."""
    if isinstance(schema, list):
        return [found for item in schema for found in objects(item)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if isinstance(schema.get("properties"), dict) and "type" in schema else []
    return here + [found for item in schema.values() for found in objects(item)]


def test_the_schema_describes_every_key_and_allows_no_other() -> None:
    found = objects(config.schema())
    assert {one.get("title") for one in found} >= {"nvr configuration", "Camera", "Detect", "Recording", "Retention"}
    for one in found:
        assert one["additionalProperties"] is False
        assert one.get("title") is None or one["description"]
        assert [key for key, value in one["properties"].items() if not {"description", "$ref"} & value.keys()] == []


def test_the_schema_writes_units_as_the_file_does() -> None:
    schema: Any = json.loads(json.dumps(config.schema()))
    segment = schema["$defs"]["Recording"]["properties"]["segment"]
    size = schema["$defs"]["Retention"]["properties"]["min_free"]
    assert (segment["type"], segment["default"], size["default"]) == ("string", "60s", "5GB")
    assert re.search(segment["pattern"], "60s")
    assert not re.search(segment["pattern"], "60")
    assert re.search(size["pattern"], "1.5TiB")
    assert not re.search(size["pattern"], "5 GB")
    assert schema["$defs"]["Camera"]["not"] == {"required": ["host", "url"]}
    week = schema["$defs"]["Camera"]["properties"]["schedule"]["anyOf"][0]
    assert re.search(week["propertyNames"]["pattern"], "mon-fri")
    assert re.search(week["additionalProperties"]["anyOf"][0]["pattern"], "22:00-06:00")
    detect = schema["$defs"]["Camera"]["properties"]["detect"]["anyOf"]
    assert detect == [{"enum": ["off", "motion", "objects", "camera"], "type": "string"}, {"$ref": "#/$defs/Detect"}]


def documented() -> dict[str, dict[str, str]]:
    """The keys of docs/configuration.md by section, each with the default it is said to have."""
    sections = re.split(r"^## ", (DOCS / "configuration.md").read_text(), flags=re.MULTILINE)
    rows = re.compile(r"^\| `(\w+)` \| (.*?) ?\|", re.MULTILINE)
    return {section.split("\n")[0].strip("`"): dict(rows.findall(section)) for section in sections}


@pytest.mark.parametrize(
    ("section", "model"),
    [
        ("Top level", config.Config),
        ("recording", Recording),
        ("retention", Retention),
        ("web", Web),
        ("Retention of a camera", CameraRetention),
        ("cameras", Shared),
        ("detect", Detect),
        ("alerts", Alerts),
    ],
)
def test_every_key_is_documented_with_its_default(section: str, model: Any) -> None:
    def spelt(default: object) -> str:
        text = f"[{', '.join(default)}]" if isinstance(default, list) else str(default)
        return "" if default in (None, {}) else f"`{text.lower() if isinstance(default, bool) else text}`"

    defaults = {
        key: "required" if field.is_required() else spelt(field.default) for key, field in model.model_fields.items()
    }
    assert documented()[section] == defaults


def test_every_yaml_example_of_the_documentation_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HIK1_PASSWORD", "RECORDER_PASSWORD"):
        monkeypatch.setenv(name, "hunter2")
    examples = re.findall(r"^```yaml\n(.*?)^```", (DOCS / "configuration.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) >= 4
    for example in examples:
        load(example)
    assert "# yaml-language-server: $schema=nvr.schema.json" in examples[1]


def test_the_mistakes_of_the_documentation_are_told_in_its_words() -> None:
    text = "cameras:\n\nretention:\n  events: 7 days\n\n\ncameras:\n  hik1:\n    pasword: x\n    host: a\n"
    told = refusal(text)
    for line in re.findall(r"^nvr\.yaml:\d+: .*$", (DOCS / "configuration.md").read_text(), re.MULTILINE):
        assert line in told


def test_the_example_file_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVR_CAMERA_PASSWORD", "hunter2")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "yard").write_text("hunter3\n")
    text = (DOCS / "nvr.example.yaml").read_text()
    found = load(text)
    assert list(found.cameras) == ["hik1", "yard", "garage"]
    assert found.cameras["yard"].main.password == "hunter3"
    (folder / "clips").mkdir()
    (folder / "clips" / "street.mp4").touch()
    shown = re.sub(r"^  # (demo|  url|  loop)", r"  \1", text, flags=re.MULTILINE)
    assert load(shown).cameras["demo"].main.loop


def test_a_process_that_is_handed_a_configuration_does_not_load_yaml() -> None:
    code = "import nvr.config, sys; sys.exit('ruamel.yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, cwd=DOCS.parent, check=False).returncode == 0
