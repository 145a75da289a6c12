from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from nvr.config.value import AnyPath, ExistingFile, Outside, Secret, Size, Texts, Url


def read(type_: Any, value: object, outside: Outside | None = None) -> Any:
    return TypeAdapter(type_).validate_python(value, context=outside)


def refusal(type_: Any, value: object, outside: Outside | None = None) -> str:
    with pytest.raises(ValidationError) as caught:
        read(type_, value, outside)
    [error] = caught.value.errors()
    return str(error.get("ctx", {}).get("error", error["msg"]))


def text_of(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def test_a_secret_is_text_or_names_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\nsecond line\n")
    outside = Outside(tmp_path, {"NAME": "from-environment"})
    assert text_of(read(Secret, "hunter2", outside)) == "hunter2"
    assert text_of(read(Secret, {"env": "NAME"}, outside)) == "from-environment"
    assert text_of(read(Secret, {"file": "secret"}, outside)) == "from-file"
    assert text_of(read(Secret, {"file": str(tmp_path / "secret")}, outside)) == "from-file"


def test_a_secret_keeps_its_spaces_and_loses_only_the_newline(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b" a b \r\n")
    assert text_of(read(Secret, {"file": "secret"}, Outside(tmp_path, {}))) == " a b "


def test_a_secret_is_masked_wherever_it_is_printed() -> None:
    secret = read(Secret, "hunter2")
    assert "hunter2" not in f"{secret} {secret!r}"


def test_secrets_elsewhere_are_left_alone_without_an_environment(tmp_path: Path) -> None:
    assert read(Secret, {"env": "NAME"}, Outside(tmp_path)) is None
    assert read(Secret, {"file": "missing"}, Outside(tmp_path)) is None
    assert text_of(read(Secret, "hunter2", Outside(tmp_path))) == "hunter2"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"env": "MISSING"}, "the environment variable MISSING is not set"),
        ({"env": "EMPTY"}, "the environment variable EMPTY is empty"),
        ({"file": "missing"}, "there is no file {folder}/missing"),
        ({"file": "."}, "there is no file {folder}"),
        ({"file": "empty"}, "the file {folder}/empty is empty"),
        ({"file": "binary"}, "the file {folder}/binary is not UTF-8 text"),
        ({"file": "/proc/self/mem"}, "cannot read the file /proc/self/mem: Input/output error"),
        ({"file": ""}, 'got "", want a path'),
        ("", "the text is empty"),
        (None, "got nothing, want text, {env: NAME} or {file: PATH}"),
        (12345, "got a number, want text, {env: NAME} or {file: PATH}: put it in quotes"),
        (["hunter2"], "got a list, want text"),
        ({"evn": "hunter2"}, "got a mapping, want text"),
        ({"env": "NAME", "file": "x"}, "got a mapping, want text"),
        ({"env": None}, "got a mapping, want text"),
    ],
)
def test_a_secret_that_is_not_there_is_an_error_that_names_where_it_should_be(
    tmp_path: Path, value: object, problem: str
) -> None:
    (tmp_path / "empty").write_text("\nhunter2\n")
    (tmp_path / "binary").write_bytes(b"hunter2\xff\n")
    message = refusal(Secret, value, Outside(tmp_path, {"EMPTY": "", "NAME": "hunter2"}))
    assert problem.replace("{folder}", str(tmp_path)) in message
    assert "hunter2" not in message
    assert "12345" not in message


def test_a_relative_path_starts_at_the_files_folder(tmp_path: Path) -> None:
    assert read(AnyPath, "video", Outside(tmp_path)) == tmp_path / "video"
    assert read(AnyPath, "/video", Outside(tmp_path)) == Path("/video")
    assert read(AnyPath, "video") == Path.cwd() / "video"


def test_a_path_may_start_at_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(AnyPath, "~/video", Outside(Path("/elsewhere"))) == tmp_path / "video"
    assert "whose home folder is not known" in refusal(AnyPath, "~nobody-of-that-name/video")


@pytest.mark.parametrize("value", ["", 5, ["a"], True])
def test_what_is_not_a_path_is_refused(value: object) -> None:
    assert "want a path" in refusal(AnyPath, value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    outside = Outside(tmp_path, {})
    assert read(ExistingFile, "model.onnx", outside) == tmp_path / "model.onnx"
    assert refusal(ExistingFile, "other.onnx", outside) == f"there is no file {tmp_path}/other.onnx"
    assert refusal(ExistingFile, "x" * 300, outside).startswith("there is no file")
    assert read(ExistingFile, "other.onnx", Outside(tmp_path)) == tmp_path / "other.onnx"


def test_a_url_is_an_address_or_a_video_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    outside = Outside(tmp_path, {})
    assert read(Url, "rtsp://cam/x", outside) == "rtsp://cam/x"
    assert read(Url, "clip.mp4", outside) == str(tmp_path / "clip.mp4")
    assert "no such video file, and an address starts with rtsp://" in refusal(Url, "cam/live", outside)
    assert read(Url, "cam/live", Outside(tmp_path)) == str(tmp_path / "cam/live")


def test_a_url_with_a_login_that_was_not_moved_is_refused_without_showing_it() -> None:
    message = refusal(Url, "rtsp://u:hunter2@cam/x")
    assert message == 'got "rtsp://***@cam/x" with a login in it and another beside it: keep one of them'


def test_numbers_without_a_unit_are_refused() -> None:
    assert refusal(Size, 5_000_000) == "got 5000000, want a size such as 500GB, 200MB or 1TiB"


def test_a_list_of_texts_is_frozen() -> None:
    assert read(Texts, ["a", "b"]) == ("a", "b")
