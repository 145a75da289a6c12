"""What a camera's ``detect`` asks for, as plain values."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from nvr.analysis.choice import ModelChoice
from nvr.analysis.sight import Sight, rules_of, sight_of
from nvr.analysis.zones import Filter, Line, Rules, Zone
from nvr.config import Detect
from nvr.schedule import parse


def test_a_camera_that_is_off_has_no_sight() -> None:
    assert sight_of(Detect(mode="off")) is None


def test_the_keys_of_detect_arrive() -> None:
    detect = Detect.model_validate({"mode": "objects", "labels": ["dog"], "min_score": 0.6, "model": __file__})
    assert sight_of(detect) == Sight("objects", ("dog",), 0.6, ModelChoice(Path(__file__)))


def test_a_models_own_score_holds_where_detect_says_none() -> None:
    model = {"path": __file__, "layout": "yolov5", "size": 640, "classes": ["dog"], "min_score": 0.3}
    sight = sight_of(Detect.model_validate({"labels": ["dog"], "model": model}))
    assert sight is not None
    assert sight.model == ModelChoice(Path(__file__), "yolov5", (640, 640), classes=("dog",))
    assert sight.min_score == 0.3
    sight = sight_of(Detect.model_validate({"labels": ["dog"], "min_score": 0.45, "model": model}))
    assert sight is not None
    assert sight.min_score == 0.45


def test_what_is_placed_in_the_picture_arrives() -> None:
    morning: dict[object, object] = {"mon": "07:00-09:00"}
    detect = Detect.model_validate(
        {
            "labels": ["person", "dog"],
            "filters": {"person": {"min_score": 0.6, "min_size": 0.01}},
            "masks": ["0,0 1,0 1,0.1"],
            "zones": {
                "yard": {
                    "points": "0,0.5 1,0.5 1,1",
                    "labels": ["dog"],
                    "dwell": "3s",
                    "schedule": {"mon": "07:00-09:00"},
                },
                "road": {"points": "0,0 1,0 1,0.5"},
            },
            "lines": {"gate": {"points": "0,0.4 1,0.4", "direction": "out"}},
            "required": ["gate"],
            "schedule": {"mon-sun": "22:00-06:00"},
        }
    )
    yard = Zone("yard", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0)), ("dog",), timedelta(seconds=3), parse(morning))
    assert rules_of(detect) == Rules(
        zones=(yard, Zone("road", ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5)))),
        lines=(Line("gate", ((0.0, 0.4), (1.0, 0.4)), "out"),),
        masks=(((0.0, 0.0), (1.0, 0.0), (1.0, 0.1)),),
        filters=(Filter("person", 0.6, 0.01, 1.0),),
        required=("gate",),
        schedule=parse({"mon-sun": "22:00-06:00"}),
    )
    sight = sight_of(detect)
    assert sight is not None
    assert sight.rules == rules_of(detect)


def test_a_camera_of_which_nothing_is_said_has_no_rules() -> None:
    assert rules_of(Detect()) == Rules()
