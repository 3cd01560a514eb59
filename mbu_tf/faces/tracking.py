"""Faces followed through the frames of a video, their eyes smoothed so that nothing trembles.

A frame is given out a third of a second after it was read. So a face's eyes are
smoothed from both sides, which leaves no lag, and where a face is missed in a few
frames its place is known from the frames before and after.
"""

import math
from typing import NamedTuple

from mbu_tf.faces.smoothing import REACH, smoothed

# Seconds that a frame waits: what smoothing looks ahead, and the longest gap that is bridged.
AHEAD = REACH
# Seconds between searches of a whole frame; meanwhile known faces are looked for where they were.
SEARCH_EVERY = 1 / 3
# How far from where it was expected, in eye distances, a face may be.
NEAR = 1.0
# The least score of a face where one is expected; of any other it is `find_faces`'s own.
KNOWN_SCORE = 0.5
# Nearer to each other than this are two findings of one face.
SAME = 0.5
# Seconds over which a face's motion is measured, to expect it in the next frame.
MOTION = 0.1
# A face overtakes a larger one once it is so many times as large, lest the two take turns.
OVERTAKES = 1.25


def follow_faces(frames, find, face="largest"):
    """Frames with the eyes of the faces asked for, smoothed.

    Faces are numbered from the largest. One that is missed for up to `AHEAD`
    seconds is taken to have moved evenly meanwhile; if it stays away it is gone
    from the first frame without it.

    Args:
        frames: iterable of frames, which have `image`, uint8 `(height, width, 3)`, and
            `time`, in seconds, growing.
        find: finds faces, as `mbu_tf.faces.find_faces`, whose arguments `near` and `min_score` it
            takes.
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


class Eyes(NamedTuple):
    """A face's eyes as points x + y i of the complex plane, in pixels.

    Attributes:
        centre: the point between them.
        span: the way from the left eye to the right one.
    """

    centre: complex
    span: complex

    @classmethod
    def of(cls, face):
        """Those of a `Face`."""
        left, right = complex(*face.left_eye), complex(*face.right_eye)
        return cls((left + right) / 2, right - left)

    @property
    def points(self):
        """((x, y), (x, y)), the left eye first."""
        ends = (self.centre - self.span / 2, self.centre + self.span / 2)
        return tuple((end.real, end.imag) for end in ends)

    def distance(self, other):
        """How far apart they are, in these eyes' distances."""
        return (abs(other.centre - self.centre) + abs(other.span - self.span)) / abs(self.span)


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
        self._waiting.append(time)
        expected = [track.expected(time) for track in self._tracks]
        seen = self._find(photo, near=expected, min_score=KNOWN_SCORE) if expected else []
        matches = _matches(expected, seen)
        if time >= self._search_at or not matches or len(matches) < len(expected):
            self._search_at = time + SEARCH_EVERY
            seen = _apart([*seen, *self._find(photo)])
            matches = _matches(expected, seen)
        for number, face in enumerate(seen):
            if number not in matches:
                matches[number] = len(self._tracks)
                self._tracks.append(_Track())
            track = self._tracks[matches[number]]
            track.add(face, [at for at in self._waiting if at > track.last])
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


def _matches(expected, seen):
    """Which face seen is which expected: a dict of their numbers, the nearest matched first."""
    pairs = [
        (Eyes.of(place).distance(Eyes.of(face)), i, j)
        for i, place in enumerate(expected)
        for j, face in enumerate(seen)
    ]
    matches = {}
    for distance, i, j in sorted(pairs):
        if distance < NEAR and i not in matches.values() and j not in matches:
            matches[j] = i
    return matches


def _apart(faces):
    """Without those that are one found before."""
    kept = []
    for face in faces:
        if all(Eyes.of(other).distance(Eyes.of(face)) > SAME for other in kept):
            kept.append(face)
    return kept


class _Track:
    """One face in frame after frame."""

    def __init__(self):
        self._eyes = {}  # By time, in its order.

    @property
    def last(self):
        """When it was last seen."""
        return max(self._eyes, default=-math.inf)

    @property
    def size(self):
        """The distance of its eyes when it was last seen, in pixels."""
        return abs(self._eyes[self.last].span)

    def expected(self, time):
        """The face as it is at a later time, if it moves on as it did."""
        first = min(at for at in self._eyes if at >= self.last - MOTION)
        if first == self.last:
            return self._face
        way = self._eyes[self.last].centre - self._eyes[first].centre
        return _moved(self._face, (time - self.last) / (self.last - first) * way)

    def add(self, face, times):
        """It is seen at the last of `times`; in the frames between it moved evenly."""
        eyes, last, time = Eyes.of(face), self.last, times[-1]
        for at in times[:-1] if self._eyes else ():
            share = (at - last) / (time - last)
            pairs = zip(self._eyes[last], eyes, strict=True)
            self._eyes[at] = Eyes(*(x + share * (y - x) for x, y in pairs))
        self._eyes[time], self._face = eyes, face

    def smoothed(self, time):
        """Its eyes at `time`, from before and after; `None` if it was not there."""
        self._eyes = {at: eyes for at, eyes in self._eyes.items() if at >= time - REACH}
        if time not in self._eyes:
            return None
        unit = abs(self._eyes[time].span)
        paths = zip(*self._eyes.values(), strict=True)
        return Eyes(*(smoothed(list(self._eyes), path, time, unit) for path in paths))


def _moved(face, way):
    """A `Face` moved by a complex number of pixels."""
    way = (way.real, way.imag)
    points = (face.box[:2], face.box[2:], face.left_eye, face.right_eye)
    start, end, *eyes = ((x + way[0], y + way[1]) for x, y in points)
    return face._replace(box=(*start, *end), left_eye=eyes[0], right_eye=eyes[1])
