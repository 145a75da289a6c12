"""nvr, a network video recorder for RTSP cameras.

Map of the package, from the top down; imports only go down:

- ``cli``         the commands, and where the parts are put together
- ``recording``   the recorder process: camera → segments on disk, newest frame → slot
- ``analysis``    the analyzer process: slot → motion → objects → tracks → events
- ``isapi``       what a Hikvision camera reports itself; ``listener`` is its process
- ``media``       all of FFmpeg: sources, segment files, decoding
- ``frameslot``   the newest frame of a camera in shared memory
- ``catalogue``   SQLite: cameras, runs, segments, events
- ``supervisor``  starts, watches and restarts processes
- ``config``, ``layout``, ``logs``, ``pulse``, ``model``, ``clock``, ``errors``   vocabulary
"""

__version__ = "0.4.0"
