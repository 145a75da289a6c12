from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nvr.analysis.geometry import WHOLE
from nvr.analysis.window import is_cut_off, window
from nvr.model import Box

PICTURE, WIDE_MODEL, SQUARE_MODEL = (1280, 720), (416, 256), (416, 416)


def at(x: float, y: float, width: float = 12, height: float = 30, picture: tuple[int, int] = PICTURE) -> Box:
    """A box of so many pixels."""
    return Box(x / picture[0], y / picture[1], (x + width) / picture[0], (y + height) / picture[1])


def pixels(part: Box, picture: tuple[int, int] = PICTURE) -> tuple[float, float]:
    return (part.right - part.left) * picture[0], (part.bottom - part.top) * picture[1]


def holds(part: Box, box: Box, margin: float = 0.0) -> bool:
    """Whether a box is inside with so much of its size on each side, as far as there is a picture."""
    across, down = (box.right - box.left) * margin, (box.bottom - box.top) * margin
    close = 1e-9
    return (
        part.left <= max(box.left - across, 0) + close
        and part.top <= max(box.top - down, 0) + close
        and part.right >= min(box.right + across, 1) - close
        and part.bottom >= min(box.bottom + down, 1) - close
    )


def looked_at(*wanted: Box, picture: tuple[int, int] = PICTURE, model: tuple[int, int] = WIDE_MODEL) -> Box:
    part = window(wanted, picture, model)
    assert part is not None
    return part


def test_where_nothing_is_wanted_the_whole_picture_is() -> None:
    assert window([], PICTURE, WIDE_MODEL) is None


@pytest.mark.parametrize("model", [WIDE_MODEL, SQUARE_MODEL, (640, 640)])
def test_somebody_small_is_looked_at_with_what_is_around_him(model: tuple[int, int]) -> None:
    small = at(600, 300)
    part = looked_at(small, model=model)
    assert holds(part, small, 0.5)
    assert (part.left + part.right) / 2 == pytest.approx((small.left + small.right) / 2)


@pytest.mark.parametrize("model", [WIDE_MODEL, SQUARE_MODEL, (640, 480)])
def test_a_window_has_the_shape_of_the_model(model: tuple[int, int]) -> None:
    width, height = pixels(looked_at(at(600, 300), at(700, 340), model=model))
    assert width / height == pytest.approx(model[0] / model[1])


@pytest.mark.parametrize("size", [2, 12, 60])
def test_a_pixel_becomes_two_at_most(size: float) -> None:
    width, height = pixels(looked_at(at(600, 300, size, size)))
    assert width >= 416 / 2 - 1e-6
    assert height >= 256 / 2 - 1e-6


def test_those_close_together_are_looked_at_together() -> None:
    wanted = [at(500, 300), at(560, 320), at(620, 290)]
    part = looked_at(*wanted)
    assert all(holds(part, box, 0.5) for box in wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        [at(100, 300), at(1100, 300)],
        [at(600, 20), at(600, 680)],
        [at(500, 300, 100, 240)],
        [at(600, 300), at(640, 200, 120, 300)],
        [WHOLE],
    ],
    ids=["far apart", "one above the other", "large", "one of them large", "everything"],
)
def test_where_it_would_not_help_the_whole_picture_is_looked_at(wanted: list[Box]) -> None:
    assert window(wanted, PICTURE, WIDE_MODEL) is None


def test_a_picture_not_larger_than_the_model_is_looked_at_whole() -> None:
    assert window([at(100, 60, picture=(320, 180))], (320, 180), WIDE_MODEL) is None


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1268, 0), (0, 690), (1268, 690)])
def test_in_a_corner_it_stays_in_the_picture_and_as_large(x: float, y: float) -> None:
    part = looked_at(at(x, y))
    assert holds(WHOLE, part)
    assert holds(part, at(x, y))
    assert pixels(part) == pytest.approx((208, 128))


def test_what_is_partly_outside_is_looked_at_where_it_is_inside() -> None:
    part = looked_at(Box(-0.02, 0.3, 0.01, 0.35))
    assert part.left == 0
    assert holds(WHOLE, part)


places = st.floats(-0.05, 1.0)
sizes = st.floats(0, 0.4)
wanted_boxes = st.builds(lambda x, y, w, h: Box(x, y, min(x + w, 1.05), min(y + h, 1.05)), places, places, sizes, sizes)
pictures = st.sampled_from([(1280, 720), (768, 576), (640, 480), (352, 288), (1920, 1080), (641, 361), (720, 1280)])
models = st.sampled_from([WIDE_MODEL, SQUARE_MODEL, (640, 640), (320, 192), (32, 32)])


@given(st.lists(wanted_boxes, max_size=6), pictures, models)
@example([Box(0.9, 0.9, 1.0, 1.0)], (1280, 720), WIDE_MODEL)
def test_what_holds_of_any_window(wanted: list[Box], picture: tuple[int, int], model: tuple[int, int]) -> None:
    part = window(wanted, picture, model)
    if part is None:
        return
    assert holds(WHOLE, part)
    inside = [Box(max(b.left, 0), max(b.top, 0), min(b.right, 1), min(b.bottom, 1)) for b in wanted]
    assert all(holds(part, box, 0.5) for box in inside)
    width, height = pixels(part, picture)
    assert width / height == pytest.approx(model[0] / model[1])
    assert width >= model[0] / 2 - 1e-6
    assert max(width / picture[0], height / picture[1]) <= 0.7 + 1e-9


def test_more_that_is_wanted_never_makes_a_window_smaller() -> None:
    few, more = looked_at(at(600, 300)), looked_at(at(600, 300), at(900, 300))
    assert more.right - more.left > few.right - few.left


PART = Box(0.3, 0.3, 0.6, 0.6)


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        (Box(0.4, 0.4, 0.5, 0.5), False),
        (Box(0.3, 0.4, 0.5, 0.5), True),
        (Box(0.4, 0.301, 0.5, 0.5), True),
        (Box(0.4, 0.4, 0.599, 0.5), True),
        (Box(0.4, 0.4, 0.5, 0.6), True),
    ],
)
def test_what_reaches_an_inner_edge_is_cut_off(box: Box, cut: bool) -> None:
    assert is_cut_off(box, PART) is cut


@pytest.mark.parametrize(
    ("part", "box"),
    [
        (Box(0.0, 0.3, 0.3, 0.6), Box(0.0, 0.4, 0.1, 0.5)),
        (Box(0.3, 0.0, 0.6, 0.3), Box(0.4, 0.0, 0.5, 0.1)),
        (Box(0.7, 0.3, 1.0, 0.6), Box(0.9, 0.4, 1.0, 0.5)),
        (Box(0.3, 0.7, 0.6, 1.0), Box(0.4, 0.9, 0.5, 1.0)),
        (WHOLE, WHOLE),
    ],
)
def test_what_reaches_an_edge_of_the_picture_is_not(part: Box, box: Box) -> None:
    assert not is_cut_off(box, part)


def test_in_a_corner_the_inner_edges_cut_though_the_outer_do_not() -> None:
    corner = Box(0.0, 0.0, 0.3, 0.3)
    assert is_cut_off(Box(0.0, 0.1, 0.3, 0.2), corner)
    assert not is_cut_off(Box(0.0, 0.0, 0.2, 0.2), corner)
