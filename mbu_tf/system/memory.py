"""Whether there is memory for a piece of work, told before it begins."""

import pathlib

import psutil

CGROUP = pathlib.Path("/sys/fs/cgroup")


class OutOfMemory(MemoryError):
    """Memory is exhausted, or would be; the message names the mend."""


def check_memory(needed, work, mend):
    """Raise `OutOfMemory` if a piece of work takes more memory than is free.

    Args:
        needed: bytes that it takes at least.
        work: what it is, to begin a sentence with.
        mend: a sentence, what a user may do.
    """
    free = free_memory()
    if needed > free:
        raise OutOfMemory(
            f"{work} takes {_gigabytes(needed)} GB of memory at least, and {_gigabytes(free)} GB "
            f"are free. {mend}"
        )


def free_memory():
    """Bytes that this process may still take: the machine's, or a container's if less."""
    free = psutil.virtual_memory().available + psutil.swap_memory().free
    try:
        limit = (CGROUP / "memory.max").read_text()
        used = (CGROUP / "memory.current").read_text()
        return max(0, min(free, int(limit) - int(used)))
    except (OSError, ValueError):  # No such bound.
        return free


def _gigabytes(count):
    return f"{count / 1e9:.3g}" if count < 1e12 else f"{count / 1e9:,.0f}"
