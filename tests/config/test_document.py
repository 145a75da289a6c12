from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvr.config.document import Document, Problem, read
from nvr.errors import ConfigError


def document(folder: Path, text: str | bytes) -> Document:
    path = folder / "nvr.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        document(folder, text)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("192.168.1.64", "192.168.1.64"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("0o17", 15),
        ("007", 7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".inf", math.inf),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("500GB", "500GB"),
        ("9" * 5000, "9" * 5000),
        ("[a, 1]", ["a", 1]),
        ("{1: b, on: c}", {"1": "b", "on": "c"}),
    ],
)
def test_scalars_follow_yaml_1_2(tmp_path: Path, text: str, value: object) -> None:
    assert document(tmp_path, f"a: {text}\n").value == {"a": value}


def test_not_a_number_is_a_number(tmp_path: Path) -> None:
    value = document(tmp_path, "a: .nan\n").at(("a",))
    assert isinstance(value, float)
    assert math.isnan(value)


def test_every_value_knows_the_line_of_its_key(tmp_path: Path) -> None:
    found = document(tmp_path, "a: 1\nb:\n  c:\n    - x\n    - y\n\n  d: {e: 1}\n")
    assert [found.line(place) for place in [("a",), ("b", "c"), ("b", "c", 1), ("b", "d", "e")]] == [1, 3, 5, 7]


def test_what_is_not_there_has_the_line_of_what_is_around_it(tmp_path: Path) -> None:
    found = document(tmp_path, "a:\n  b: 1\n")
    assert found.line(("a", "x", "y")) == 1
    assert found.line(("a", "b", "c")) == 2
    assert found.line(("x",)) == 1
    assert not found.holds(("a", "b", "c"))


def test_anchors_and_merge_keys_keep_the_lines_of_what_they_name(tmp_path: Path) -> None:
    found = document(tmp_path, "one: &one\n  a: 1\n  b: 2\ntwo:\n  <<: *one\n  b: 3\nthree: *one\n")
    assert found.value == {"one": {"a": 1, "b": 2}, "two": {"a": 1, "b": 3}, "three": {"a": 1, "b": 2}}
    assert [found.line(place) for place in [("two", "a"), ("two", "b"), ("three", "b")]] == [2, 6, 3]


def test_the_first_of_several_merged_mappings_wins(tmp_path: Path) -> None:
    found = document(tmp_path, "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n")
    assert found.at(("c",)) == {"x": 1, "y": 2}


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    assert document(tmp_path, "a: &x 1\nb: &x 2\nc: *x\n").value == {"a": 1, "b": 2, "c": 2}


def test_aliases_of_aliases_do_not_multiply(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert document(tmp_path, "\n".join(lines)).at(("a39", 8, 8, 8, *[0] * 36)) == ["x"]


def test_a_key_given_twice_is_a_problem_with_both_lines(tmp_path: Path) -> None:
    found = document(tmp_path, "a:\n  b: 1\n  c: 2\n  b: 3\n")
    assert found.problems == [Problem(4, ("a", "b"), "given twice, first on line 2: remove one of them")]


def test_a_problem_names_its_place_on_one_line() -> None:
    problem = Problem(3, ("cameras", "a\nb", "detect", "labels", 0), "got\n1")
    assert str(problem) == "cameras.a·b.detect.labels[0]: got·1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a:\n\tb: 1\n",
            "nvr.yaml:2:1: not YAML: found character '\\t' that cannot start any token: indent with spaces",
        ),
        (
            "a: 'hunter2\nb: 1\n",
            "nvr.yaml:3:1: not YAML: found unexpected end of stream (while scanning a quoted scalar",
        ),
        ("a: 'hunter2\nb: 1\n", "that begins on line 1)"),
        ("a: [1, 2\nb: 3\n", "nvr.yaml:2:2: not YAML: "),
        ("a: b: c\n", "nvr.yaml:1:5: not YAML: mapping values are not allowed"),
        ("a: *hunter2\n", "nvr.yaml:1:4: not YAML: found undefined alias …: put text that starts with * in quotes"),
        ("a: @hunter2\n", "nvr.yaml:1:4: not YAML: found character '@' that cannot start any token"),
        ("a: !hunter2\n", "nvr.yaml:1:4: a tag that has no meaning here; put text that starts with ! in quotes"),
        ("a: !hunter2 [1]\n", "nvr.yaml:1:4: a tag that has no meaning here"),
        ("a: !!set {b}\n", "nvr.yaml:1:4: a tag"),
        ("a: !hunter2!x b\n", "nvr.yaml:1:4: not YAML: found undefined tag handle …"),
        ("a: 1\n--- \nb: 1\n", "nvr.yaml:2:1: not YAML: but found another document"),
        ("a: 1\nb: \x07\n", "nvr.yaml:2:4: not YAML: a control character"),
        ("? [a]\n: b\n", "nvr.yaml:1:3: a key that is a list or a mapping"),
        ("a: {<<: 1}\n", "nvr.yaml:1:4: << that does not name a mapping"),
        ("a: &a [*a]\n", "nvr.yaml:1:4: an alias that contains itself"),
        ("a: " + "[" * 5000, "nvr.yaml: nested too deeply"),
        ("", "nvr.yaml is empty"),
        ("# only this\n", "nvr.yaml is empty"),
        ("---\n", "nvr.yaml is empty"),
        ("- a\n", 'nvr.yaml:1: want keys such as "cameras:" at the top'),
        ("hunter2\n", 'nvr.yaml:1: want keys such as "cameras:" at the top'),
        (b"a: 1\nb: \xff\n", "nvr.yaml:2: not UTF-8 text: save the file as UTF-8"),
        (b"#" * 1_000_001, "nvr.yaml has more than 1000 kB"),
    ],
)
def test_what_is_not_a_configuration_is_refused_with_its_place(tmp_path: Path, text: str | bytes, words: str) -> None:
    message = refusal(tmp_path, text)
    assert words in message
    assert "hunter2" not in message


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert document(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n").value == {"a": 1, "b": 2}


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nvr\.yaml does not exist: name the configuration with --config"):
        read(tmp_path / "nvr.yaml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is a folder, want a YAML file such as .*/nvr\.yaml"):
        read(tmp_path)


def test_a_device_is_refused_before_it_is_read() -> None:
    with pytest.raises(ConfigError, match="/dev/zero is not an ordinary file"):
        read(Path("/dev/zero"))


def test_an_unreadable_file_is_refused_with_the_systems_reason() -> None:
    with pytest.raises(ConfigError, match="cannot read /proc/self/mem: Input/output error; check who may read it"):
        read(Path("/proc/self/mem"))


TOKENS = ["a", "1", "true", ": ", ":\n", "\n", "  ", "- ", "[", "]", "{", "}", "&x ", "*x", "<<: ", "!!str ", "!t "]
TOKENS += ["'", '"', "|\n", "? ", "#", "---\n", "%YAML 1.1\n", "\t", "\\x", "\ufeff", "\0", "0x", "é", "9" * 4400]


def outcome(folder: Path, text: str) -> Document | str:
    try:
        return document(folder, text)
    except ConfigError as error:
        return str(error)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join) | st.text(max_size=30))
def test_any_text_is_a_document_or_a_config_error_of_one_line(tmp_path: Path, text: str) -> None:
    result = outcome(tmp_path, text)
    if isinstance(result, str):
        assert result.startswith(str(tmp_path))
        assert "\n" not in result
    else:
        assert isinstance(result.value, dict)
