"""Faces followed through the frames of a video, their eyes smoothed so that nothing trembles.

A frame is given out a third of a second after it was read. So a face's eyes are
smoothed from both sides, which leaves no lag, and where a face is missed in a few
frames its place is known from the frames before and after.
"""

import math
from typing import NamedTuple

import numpy as np

from mbu_tf.faces.framing import Framing
from mbu_tf.faces.smoothing import REACH, smoothed

# Seconds that a frame waits: what smoothing looks ahead, and the longest gap that is bridged.
AHEAD = REACH
# Seconds between searches of a whole frame; meanwhile known faces are looked for where they were.
SEARCH_EVERY = 1 / 3
# The upright square in which a known face is looked for: 5 eye distances wide.
AROUND = Framing((0.4, 0.43), (0.6, 0.43))
# How far, in eye distances, a face may be from where it was expected.
NEAR = 1.0
# Seconds over which a face's motion is measured, to expect it in the next frame.
MOTION = 0.1
# A face overtakes a larger one once it is so many times as large, lest the two take turns.
OVERTAKES = 1.25


class Eyes(NamedTuple):
    """A face's eyes as points of the complex plane, pixels x + y i.

    Attributes:
        centre: the point between them.
        span: the way from the left eye to the right one.
    """

    centre: complex
    span: complex

    @classmethod
    def of(cls, points):
        """From ((x, y), (x, y))."""
        left, right = (complex(*point) for point in points)
        return cls((left + right) / 2, right - left)

    @property
    def points(self):
        """((x, y), (x, y)) in pixels, the left eye first."""
        ends = (self.centre - self.span / 2, self.centre + self.span / 2)
        return tuple((end.real, end.imag) for end in ends)

    def distance(self, other):
        """How far apart they are, in these eyes' distances."""
        return (abs(other.centre - self.centre) + abs(other.span - self.span)) / abs(self.span)


def follow_faces(frames, find, face="largest"):
    """Frames with the eyes of the faces asked for, smoothed.

    Faces are numbered from the largest. One that is missed for up to `AHEAD`
    seconds is taken to have moved evenly meanwhile; if it stays away it is gone
    from the first frame without it.

    Args:
        frames: iterable of frames, which have `image`, uint8 `(height, width, 3)`, and
            `time`, in seconds, growing.
        find: finds faces, as `mbu_tf.faces.find_faces`.
        face: `"largest"`, `"all"`, or a number from 1 for the largest.

    Yields:
        `(frame, faces)`: each frame as it was given, and a list of eyes
        ((x, y), (x, y)) in pixels; empty where no such face is.

    Raises:
        ValueError: if `face` is none of these.
    """
    chosen, tracker, waiting = _chosen(face), FaceTracker(find), []
    for frame in frames:
        tracker.see(frame.image, frame.time)
        waiting.append(frame)
        while frame.time - waiting[0].time >= AHEAD:
            yield waiting[0], tracker.eyes(waiting.pop(0).time)[chosen]
    for frame in waiting:
        yield frame, tracker.eyes(frame.time)[chosen]


def _chosen(face):
    """The slice of all faces, largest first, that `face` asks for."""
    if face in ("largest", "all"):
        return slice(1 if face == "largest" else None)
    if isinstance(face, int) and not isinstance(face, bool) and face >= 1:
        return slice(face - 1, face)
    raise ValueError(
        "The faces of a video are 'largest', 'all' or a number from 1 for the largest. "
        f"Received: face={face!r}"
    )


class FaceTracker:
    """Knows which face of a frame is which of the frames before.

    Args:
        find: finds faces, as `mbu_tf.faces.find_faces`.
    """

    def __init__(self, find):
        self._find = find
        self._tracks = []  # Largest first.
        self._waiting = []  # Times of the frames that were seen and not asked for yet.
        self._search_at = -math.inf

    def see(self, photo, time):
        """Find the faces of the next frame: uint8 `(height, width, 3)`, at `time` in seconds."""
        places = [track.expected(time) for track in self._tracks]
        missed = any(track.last < self._waiting[-1] for track in self._tracks)
        if time >= self._search_at or missed or not self._tracks:
            places = _apart(places + [Eyes.of(face.eyes) for face in self._find(photo)])
            self._search_at = time + SEARCH_EVERY
        self._waiting.append(time)
        # All in the same way, be they known or new, lest eyes jump when the whole is searched.
        seen = _apart(eyes for place in places for eyes in self._around(photo, place))
        for track, eyes in self._matched(seen, time):
            track.add(eyes, [at for at in self._waiting if at > track.last])
        for i in range(len(self._tracks) - 1):
            if self._tracks[i + 1].size > OVERTAKES * self._tracks[i].size:
                self._tracks[i : i + 2] = self._tracks[i + 1], self._tracks[i]

    def eyes(self, time):
        """The smoothed eyes at `time`, of a frame that was seen; earlier ones are forgotten.

        Returns:
            List of ((x, y), (x, y)) in pixels, the largest face's first.
        """
        shown = [track.smoothed(time) for track in self._tracks]
        self._waiting = [at for at in self._waiting if at > time]
        self._tracks = [track for track in self._tracks if track.last > time]
        return [eyes.points for eyes in shown if eyes]

    def _around(self, photo, place):
        """Eyes near `place`, found in an upright square around it."""
        square = AROUND.placement(*photo.shape[:2], place.points)
        for face in self._find(square.upright(photo)):
            eyes = Eyes.of(square.to_photo(np.array(face.eyes) / square.pixels).tolist())
            if place.distance(eyes) < NEAR:
                yield eyes

    def _matched(self, seen, time):
        """Pairs of a track and its eyes, nearest first; eyes of no track begin a new one."""
        pairs = [
            (track.expected(time).distance(eyes), i, j)
            for i, track in enumerate(self._tracks)
            for j, eyes in enumerate(seen)
        ]
        matches = {}
        for distance, i, j in sorted(pairs):
            if distance < NEAR and i not in matches.values() and j not in matches:
                matches[j] = i
        new = [j for j in range(len(seen)) if j not in matches]
        for j in sorted(new, key=lambda j: -abs(seen[j].span)):
            matches[j] = len(self._tracks)
            self._tracks.append(_Track())
        return [(self._tracks[i], seen[j]) for j, i in matches.items()]


def _apart(seen):
    """Without those that are the same face once more."""
    kept = []
    for eyes in seen:
        if all(eyes.distance(other) > 0.5 for other in kept):
            kept.append(eyes)
    return kept


class _Track:
    """One face in frame after frame."""

    def __init__(self):
        self._seen = {}  # Eyes by time, in its order.

    @property
    def last(self):
        """When it was last seen."""
        return max(self._seen, default=-math.inf)

    @property
    def size(self):
        """The distance of its eyes when it was last seen, in pixels."""
        return abs(self._seen[self.last].span)

    def expected(self, time):
        """Where it is at a later time, if it moves on as it did."""
        last, first = self.last, min(at for at in self._seen if at >= self.last - MOTION)
        if first == last:
            return self._seen[last]
        speed = (self._seen[last].centre - self._seen[first].centre) / (last - first)
        centre = self._seen[last].centre + (time - last) * speed
        return self._seen[last]._replace(centre=centre)

    def add(self, eyes, times):
        """It is seen at the last of `times`; in the frames between it moved evenly."""
        last, time = self.last, times[-1]
        for at in times[:-1] if self._seen else ():
            share = (at - last) / (time - last)
            pairs = zip(self._seen[last], eyes, strict=True)
            self._seen[at] = Eyes(*(x + share * (y - x) for x, y in pairs))
        self._seen[time] = eyes

    def smoothed(self, time):
        """Its eyes at `time`, from before and after; `None` if it was not there."""
        self._seen = {at: eyes for at, eyes in self._seen.items() if at >= time - REACH}
        if time not in self._seen:
            return None
        unit = abs(self._seen[time].span)
        paths = zip(*self._seen.values(), strict=True)
        return Eyes(*(smoothed(list(self._seen), path, time, unit) for path in paths))
