"""What the forkserver imports before it forks recorders: their pages are then shared by all of them."""

import gc

import nvr.recording.recorder  # noqa: F401

gc.freeze()  # the collector would write to, and so copy, every shared page
