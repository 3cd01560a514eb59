"""How far the work on a video is, on stderr."""

import sys
import time


class Progress:
    """A line of frames done and frames per second.

    On a terminal it is written anew twice a second; elsewhere there is one every
    ten seconds, and one at the end.
    """

    def __init__(self):
        self._terminal = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()
        self._line = None

    def __enter__(self):
        return self

    def __call__(self, done, count):
        """`done` frames of `count` are; `None` if nobody knows of how many."""
        now = time.monotonic()
        of = "" if count is None else f" of {max(count, done)}"
        self._line = f"{done}{of} frames, {done / (now - self._begun):.1f} per second"
        if now - self._shown > (0.5 if self._terminal else 10):
            self._show()

    def __exit__(self, *error):
        if self._line is not None:
            self._show()
            if self._terminal:
                print(file=sys.stderr)

    def _show(self):
        self._shown = time.monotonic()
        # To the line's beginning, and what is left of the old one wiped out.
        ends = ("\r", "\033[K") if self._terminal else ("", "\n")
        print(ends[0] + self._line, end=ends[1], file=sys.stderr, flush=True)
