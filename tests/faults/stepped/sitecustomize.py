"""Loaded by Python itself where this folder is on its path: the wall clock of the process can be set from outside.

The file that FAULT_CLOCK names holds the offset, nanoseconds as a signed integer of eight bytes. It is mapped, so that
it outlives every close. The monotonic clock goes on as it was. (libfaketime 0.9.10 does not serve: with its monotonic
clock left alone, Python 3.11's ``time.sleep`` fails with EINVAL.)
"""

import mmap
import os
import struct
import time

with open(os.environ["FAULT_CLOCK"], "rb") as _file:  # noqa: PTH123  # loaded before anything else
    _offset = mmap.mmap(_file.fileno(), 8, access=mmap.ACCESS_READ)
_time_ns = time.time_ns


def _stepped_ns() -> int:
    return _time_ns() + int(struct.unpack_from("<q", _offset)[0])


def _stepped() -> float:
    return _stepped_ns() / 1e9


time.time_ns, time.time = _stepped_ns, _stepped
