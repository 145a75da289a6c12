#!/usr/bin/env python3
"""How good events are, and what they cost. Without arguments everything, 40 minutes; each part can be had alone.

    scripts/bench/events.py [--only PART ...] [--video FILE] [--truth FILE] [--json FILE]

``accuracy``   boxes, identities and events on a film with a truth in MOTChallenge format (``sequence``, ``people``)
``negatives``  half an hour without people, which should make no event (``negatives``)
``latency``    from the first frame with a person to the event's row (``latency``)
``cost``       CPU of looking, and of the whole job against Debian's motion (``cost``)
``crowd``      eight cameras with one analyzer on two cores (``crowd``)

In ``accuracy``, "live" is what was known in the look itself, "stored" what the paths of the events say at the end. The
truth is not in the repository: give it with ``--truth`` or NVR_TRUTH, or put it where the default is.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import accuracy
import cost
import crowd
import latency
import measure
import negatives
import outcome
import people
import replay
import scenery
import sequence
from outcome import Outcome

VTEST = "vtest.avi"
REACH = {
    1: {"mota": 0.78, "idf1": 0.72, "precision": 0.9},
    2: {"mota": 0.75, "idf1": 0.70, "precision": 0.9},
}
"""Of this film, for every frame and for one in two."""
TRUTH = measure.ROOT / ".cache/footage/PETS09-S2L1.gt.txt"


def run_accuracy(options: argparse.Namespace) -> list[Outcome]:
    video = options.video or scenery.footage("video") / VTEST
    marked = truth_of(video, options.truth)
    if marked is None:
        missing = f"accuracy: the truth of {video} is not here: say with --truth where, or put it at {TRUTH}"
        if options.only:
            raise SystemExit(missing)
        scenery.say(missing)
        return []
    film = sequence.open_film(video)
    truth = sequence.read_truth(marked, film.width, film.height)
    found: list[Outcome] = []
    for every in options.every:
        run = replay.replay(film, every)
        what = f"{film.path.name}, {'every frame' if every == 1 else f'one frame in {every}'}"
        reach = REACH.get(every, {}) if film.path.name == VTEST else {}
        variants = {"live": replay.live(run), "stored": replay.stored(run)}
        scores = {
            name: accuracy.score(f"{what}, {name}", truth, boxes, options.iou, reach)
            for name, boxes in variants.items()
        }
        outcome.show(f"{what}: {len(run.looks)} looks, IoU >= {options.iou}", **scores)
        found += [each for scored in scores.values() for each in scored]
        scored = people.score(f"{what}, events", film, truth, run, every)
        outcome.show(f"{what}: events", got=scored)
        found += scored
    return found


def run_negatives(options: argparse.Namespace) -> list[Outcome]:
    found, tallies = negatives.run(options.minutes, options.seed, options.save)
    rows = [(name, *map(str, (each.looks, each.moving, each.asked, each.events))) for name, each in tallies.items()]
    measure.table("without people", ("", "looks", "moving", "detector asked", "events"), rows)
    outcome.show(f"{options.minutes:g} min without people", got=found)
    return found


def run_latency(options: argparse.Namespace) -> list[Outcome]:
    found = latency.run(options.appearances)
    outcome.show("from the first frame with a person to the event's row, 5 looks a second", got=found)
    return found


def run_cost(options: argparse.Namespace) -> list[Outcome]:
    found = cost.run(options.seconds, options.rounds)
    outcome.show(f"cost, 1080p25 camera with sub stream, {options.seconds} s, median of {options.rounds}", got=found)
    return found


def run_crowd(options: argparse.Namespace) -> list[Outcome]:
    found = crowd.run(options.cameras, options.seconds)
    outcome.show(f"{options.cameras} cameras, one analyzer, 2 cores, {options.seconds} s", got=found)
    return found


def truth_of(video: Path, given: Path | None) -> Path | None:
    """The truth that goes with a film: what was said, or the first there is where it may lie."""
    if given or "NVR_TRUTH" in os.environ:
        return given or Path(os.environ["NVR_TRUTH"])
    folder = video.parent if video.name == "img1" else video
    own = (TRUTH,) if video.name == VTEST else ()
    return next(filter(Path.is_file, (folder / "gt/gt.txt", *own)), None)


PARTS: dict[str, Callable[[argparse.Namespace], list[Outcome]]] = {
    "accuracy": run_accuracy,
    "negatives": run_negatives,
    "latency": run_latency,
    "cost": run_cost,
    "crowd": run_crowd,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", type=Path, help="write all figures there, too, after each part")
    group = parser.add_argument_group("accuracy")
    group.add_argument("--video", type=Path, help=f"a film, or a folder of JPEGs; default: {VTEST}")
    group.add_argument("--truth", type=Path, help=f"default: NVR_TRUTH, gt/gt.txt beside img1, or {TRUTH.name}")
    group.add_argument("--every", type=int, nargs="+", default=[1, 2], help="look at one frame in so many")
    group.add_argument("--iou", type=float, default=0.5, help="overlap that makes a match")
    group = parser.add_argument_group("negatives")
    group.add_argument("--minutes", type=float, default=30, help="how long, of all kinds together")
    group.add_argument("--seed", type=int, default=1, help="another one, another half hour")
    group.add_argument("--save", type=Path, metavar="FOLDER", help="pictures of each false event")
    group = parser.add_argument_group("latency, cost and crowd")
    group.add_argument("--appearances", type=int, default=24, help="of people, 10 s each")
    group.add_argument("--seconds", type=int, default=60, help="that every program runs")
    group.add_argument("--rounds", type=int, default=3, help="of every program in every scene; medians are shown")
    group.add_argument("--cameras", type=int, default=8)
    options = parser.parse_args()
    found: list[Outcome] = []
    for part in options.only or PARTS:
        found += PARTS[part](options)
        if options.json:
            options.json.write_text(json.dumps(outcome.as_json(found), indent=1) + "\n")


if __name__ == "__main__":
    main()
