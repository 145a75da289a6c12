"""The keys of zones, lines, masks and filters."""

from __future__ import annotations

import pickle
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from nvr.config import load, schema
from nvr.config.detect import Detect
from nvr.config.zone import Course, Filter, Hours, Line, Polygon, Polygons, Share, Zone, misfits
from nvr.schedule import parse

TRIANGLE = [[0, 0], [1, 0], [0.5, 1]]


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


@pytest.mark.parametrize(
    "given",
    [
        [[0, 0], [1, 0], [0.5, 1]],
        "0,0 1,0 0.5,1",
        "  0,0   1.0,0\n0.5,1 ",
        ["0,0", "1,0", "0.5,1"],
        ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),
        [[0, 0], [1, 0], [0.5, 1], [0, 0]],  # closed
    ],
)
def test_a_polygon_is_a_list_of_points_or_a_text(given: object) -> None:
    assert read(Polygon, given) == ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (5, ': got 5, want points such as [[0.1, 0.5], [0.9, 0.5], [0.5, 1]] or "0.1,0.5 0.9,0.5"'),
        ([], ": got 0 points, want 3 to 64"),
        ("", ": got 0 points, want 3 to 64"),
        ("0,0", ": got 1 point, want 3 to 64"),
        ([[0, 0], [1, 1]], ": got 2 points, want 3 to 64"),
        ([[n / 100, n % 2 / 2] for n in range(65)], ": got 65 points, want 3 to 64"),
        ("0,0 1,0 1.2,1", "2: got 1.2, 1.0, want two numbers from 0 to 1: 0 is left or top, 1 is right or bottom; "
         "divide pixels by the picture's width or height"),
        ("0,0 1,0 a,b", '2: got "a,b", want a point such as [0.1, 0.5]'),
        ("0,0 1,0 0.5", '2: got "0.5", want a point such as [0.1, 0.5]'),
        ("0;0 1,0 0,1", '0: got "0;0", want a point such as [0.1, 0.5]'),
        ("0,0 1,0 0,1,2", '2: got "0,1,2", want a point such as [0.1, 0.5]'),
        ([[0, 0], [1, 0], [0, True]], "2: got 0, true, want two numbers from 0 to 1: 0 is left or top, 1 is right or "
         "bottom; divide pixels by the picture's width or height"),
        ([[0, 0], [1, 0], ["0", "1"]], "2: got a list, want a point such as [0.1, 0.5]"),
        ([[0, 0], [1, 0], None], "2: got nothing, want a point such as [0.1, 0.5]"),
        ("0.1,0.1 0.2,0.2 0.7,0.7", ": has no area: all points are on one line, want three that are not"),
        ("0,0 0,0 0,0", ": has no area: all points are on one line, want three that are not"),
        ("0,0 1,0 1,0 0,1", ": has point 2 (1,0) twice in a row: remove one of them"),
        (
            "0.1,0.5 0.9,0.5 0.1,1 0.9,1",
            ": crosses or touches itself: edge 2 (0.9,0.5 to 0.1,1) and edge 4 (0.9,1 to 0.1,0.5); want the corners in "
            "order around it",
        ),
    ],
)  # fmt: skip
def test_what_is_no_polygon_is_told(given: object, problem: str) -> None:
    assert refusal(Polygon, given) == problem


@pytest.mark.parametrize("huge", [10**400, float("inf"), float("nan"), -1, -0.001])
def test_odd_numbers_are_no_fractions(huge: float) -> None:
    assert "want two numbers from 0 to 1" in refusal(Polygon, [[0, 0], [1, 0], [0.5, huge]])
    assert "want a share of the picture" in refusal(Share, huge)


def test_a_line_has_two_to_sixteen_points() -> None:
    assert read(Course, "0,0 1,1") == ((0.0, 0.0), (1.0, 1.0))
    assert len(read(Course, [[n / 20, 0] for n in range(16)])) == 16
    assert refusal(Course, "0,0") == ": got 1 point, want 2 to 16"
    assert refusal(Course, [[n / 20, 0] for n in range(17)]) == ": got 17 points, want 2 to 16"
    assert refusal(Course, "0,0 0,0") == ": has point 1 (0,0) twice in a row: remove one of them"


def test_masks_are_a_list_of_polygons() -> None:
    assert read(Polygons, []) == ()
    assert len(read(Polygons, [TRIANGLE, "0,0 1,0 0,1"])) == 2
    assert refusal(Polygons, TRIANGLE) == ": got one polygon, want a list of polygons: put it in [ ] once more"
    assert "want a list of polygons such as" in refusal(Polygons, "0,0 1,0 0,1")
    assert refusal(Polygons, [TRIANGLE, 5]).startswith("1: got 5, want points")
    assert "at most 32" in refusal(Polygons, [TRIANGLE] * 33)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(0, 0.0), (1, 1.0), (0.002, 0.002), ("0.2%", 0.002), ("40%", 0.4), ("100%", 1.0), ("0%", 0.0), (" 5% ", 0.05)],
)
def test_a_share_is_a_fraction_or_in_percent(given: object, expected: float) -> None:
    assert read(Share, given) == pytest.approx(expected)


@pytest.mark.parametrize("given", ["0.2", "101%", "-1%", "%", "1e1%", True, None, [], 1.5, "0.2 %"])
def test_what_is_no_share_is_told(given: object) -> None:
    assert "want a share of the picture such as 0.2%, 0% to 100%, or 0 to 1" in refusal(Share, given)


def test_a_filter_leaves_something() -> None:
    assert read(Filter, {"min_score": 0.6, "min_size": "0.2%", "max_size": "40%"}).max_size == pytest.approx(0.4)
    assert refusal(Filter, {"min_size": "40%", "max_size": 0.3}) == ": min_size (0.4) is not below max_size (0.3)"
    assert "min_size (0) is not below max_size (0)" in refusal(Filter, {"max_size": 0})


def test_hours_have_a_span() -> None:
    assert read(Hours, {"mon": "07:00-19:00"}) == parse({"mon": "07:00-19:00"})
    assert "has no span, so there would be nothing at all" in refusal(Hours, {"mon": [], "tue": []})
    assert "has no span" in refusal(Hours, {})


def test_what_is_not_said_of_zones_and_lines_has_its_default() -> None:
    zone, line = read(Zone, {"points": TRIANGLE}), read(Line, {"points": "0,0 1,1"})
    assert (zone.labels, zone.dwell, zone.schedule) == (None, timedelta(), None)
    assert (line.direction, line.labels) == ("both", None)


def test_all_of_it_stands_below_detect_and_goes_to_another_process() -> None:
    detect = Detect.model_validate(
        {
            "filters": {"person": {"min_score": 0.6}},
            "masks": [TRIANGLE],
            "zones": {"yard": {"points": TRIANGLE, "dwell": "3s", "labels": ["person"]}},
            "lines": {"gate": {"points": "0,0 1,1", "direction": "in"}},
            "required": ["yard", "gate"],
            "schedule": {"mon-fri": ["22:00-06:00"]},
        }
    )
    assert pickle.loads(pickle.dumps(detect)) == detect
    assert detect.zones["yard"].dwell == timedelta(seconds=3)
    assert list(misfits(detect)) == []


@pytest.mark.parametrize(
    ("keys", "place", "text"),
    [
        ({"filters": {"dog": {}}}, ("filters", "dog"), 'got "dog", want one of labels: person, car'),
        ({"labels": ["dog"], "filters": {"car": {}}}, ("filters", "car"), 'got "car", want one of labels: dog'),
        ({"zones": {"a": {"labels": ["b"]}}}, ("zones", "a", "labels", 0), 'got "b", want one of labels: person, car'),
        (
            {"lines": {"a": {"labels": ["car", "x"]}}},
            ("lines", "a", "labels", 1),
            'got "x", want one of labels: person, car',
        ),
        ({"zones": {"a": {}}, "lines": {"a": {}}}, ("lines", "a"), "is the name of a zone as well: want another"),
        ({"required": ["a"]}, ("required", 0), 'got "a", want a zone or line of this camera: it has none'),
        (
            {"zones": {"yard": {}}, "lines": {"gate": {}}, "required": ["gate", "yrd"]},
            ("required", 1),
            'got "yrd", want a zone or line of this camera: yard, gate',
        ),
        (
            {"mode": "motion", "zones": {"yard": {}}, "required": ["yard"]},
            ("required",),
            "goes with mode: objects; with mode: motion use masks",
        ),
    ],
)
def test_what_is_named_has_to_be_there(keys: dict[str, Any], place: tuple[str | int, ...], text: str) -> None:
    assert list(misfits(keys)) == [(place, text)]


@pytest.mark.parametrize(
    "keys",
    [
        "motion",
        None,
        {"zones": [], "lines": 5, "filters": "x", "required": "yard", "labels": "person"},
        {"zones": {"a": None, "b": 5, "c": {"labels": "person"}}, "required": [5, None]},
        {"required": [], "mode": "motion"},
    ],
)
def test_what_is_wrong_by_itself_is_left_to_the_check_of_the_key(keys: object) -> None:
    assert list(misfits(keys)) == []


def test_the_example_in_the_documentation_is_valid(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs/zones.md"
    (example,) = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    (tmp_path / "nvr.yaml").write_text(example)
    detect = load(tmp_path / "nvr.yaml").cameras["hik1"].detect
    assert (set(detect.zones), set(detect.lines), len(detect.masks)) == ({"yard"}, {"gate"}, 2)


@pytest.mark.parametrize(("section", "model"), [("A zone", Zone), ("A line", Line), ("A filter", Filter)])
def test_every_key_is_documented_with_its_default(section: str, model: type[BaseModel]) -> None:
    page = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| (.*?) ?\|", text, re.MULTILINE))
    assert documented == {
        key: "required" if field.is_required() else "" if field.default is None else f"`{field.default}`"
        for key, field in model.model_fields.items()
    }


def test_an_editor_is_told_what_may_stand_there() -> None:
    defs: Any = schema()["$defs"]
    points = defs["Zone"]["properties"]["points"]
    assert points["anyOf"][0]["maxItems"] == 65
    assert points["anyOf"][0]["items"]["anyOf"][0]["items"] == {"type": "number", "minimum": 0, "maximum": 1}
    assert defs["Filter"]["properties"]["min_size"]["anyOf"][1]["pattern"].endswith("%$")
    assert defs["Detect"]["properties"]["zones"]["maxProperties"] == 32
    assert "propertyNames" in str(defs["Detect"]["properties"]["schedule"])
