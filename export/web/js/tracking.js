// Faces followed through the frames of a camera or film, smoothed, pure.

// The longer side of a frame as it is searched: a face of 640 pixels' 40 is found.
const SEARCHED = 320;
// Seconds for which a face that is missed is taken to be where it was.
const HOLD = 0.2;
// How far, in eye distances, a face may be from where it was expected.
const NEAR = 1;
// A face overtakes a larger one once it is so many times as large, lest the two take turns.
const OVERTAKES = 1.25;
// The one-euro filter's cutoffs in Hz, and its slope for each eye distance per second: what
// moves evenly lags by less than 1 / (2 pi slope) eye distances.
const SMOOTHING = { minimum: 1, slope: 10, derivative: 1 };

/**
 * The one-euro filter of points (x, y): a low pass whose cutoff grows with speed, calm at
 * rest, quick in motion.
 *
 * Casiez, Roussel and Vogel, 1 € Filter, CHI 2012, algorithm 1, one speed for both
 * coordinates. `minimum` is the cutoff at rest in Hz, `slope` what it grows by for each unit
 * per second, `derivative` the cutoff of the speed's own low pass.
 */
export class OneEuroFilter {
  #last = null;

  constructor({ minimum, slope, derivative }) {
    Object.assign(this, { minimum, slope, derivative });
  }

  /** The filtered point at `time`, in seconds; speeds are counted in `unit`s of the points'. */
  filter(point, time, unit = 1) {
    const last = this.#last;
    if (!last) {
      this.#last = { point, time, value: point, speed: [0, 0] };
      return point;
    }
    const step = time - last.time;
    if (step <= 0) return last.value; // The same frame once more.
    const measured = [0, 1].map((c) => (point[c] - last.point[c]) / step / unit);
    const speed = approach(last.speed, measured, share(this.derivative, step));
    const cutoff = this.minimum + this.slope * Math.hypot(...speed);
    const value = approach(last.value, point, share(cutoff, step));
    this.#last = { point, time, value, speed };
    return value;
  }
}

/** What a first order low pass takes of a value `step` seconds after the one before. */
function share(cutoff, step) {
  return 1 / (1 + 1 / (2 * Math.PI * cutoff * step));
}

function approach(from, to, part) {
  return [0, 1].map((c) => from[c] + part * (to[c] - from[c]));
}

/** Knows which face of a frame is which of the frames before; `finder` is a `FaceFinder`. */
export class FaceTracker {
  #finder;
  #tracks = []; // Largest first.
  #turn = 0;

  constructor(finder) {
    this.#finder = finder;
  }

  /** All faces of the next frame, at `time` in seconds, their eyes smoothed; the largest first. */
  async follow(picture, time) {
    const known = this.#tracks;
    for (const track of known) {
      track.see(await this.#finder.look(picture, track.expected(time)), time);
    }
    // Others are looked for in a part of every other frame; all of it is searched for one missed.
    const whole = known.length === 0 || known.some((track) => track.seen < time);
    const seen = known.filter((track) => track.seen === time).map((track) => track.face);
    const turn = whole ? null : this.#turn++ / 2;
    const search = whole || Number.isInteger(turn);
    const found = search ? await this.#finder.search(picture, SEARCHED, turn, seen) : [];
    for (const face of found) this.#meet(face, time);
    this.#tracks = apart(this.#tracks.filter((track) => track.seen >= time - HOLD));
    order(this.#tracks);
    return this.#tracks.map((track) => track.face);
  }

  /** A face that a search found: one that was missed, a new one, or none of these. */
  #meet(face, time) {
    const away = (track) => distance(track.expected(time), face);
    const near = this.#tracks.filter((track) => away(track) < NEAR);
    if (near.some((track) => track.seen === time)) return;
    if (near.length) near.reduce((a, b) => (away(b) < away(a) ? b : a)).see(face, time);
    else this.#tracks.push(new Track(face, time));
  }
}

/** One face in frame after frame: `face` with its eyes smoothed, `seen` last at that time. */
class Track {
  #measured = null;
  #speed = [0, 0];
  #filters = [new OneEuroFilter(SMOOTHING), new OneEuroFilter(SMOOTHING)];

  constructor(face, time) {
    this.see(face, time);
  }

  /** The face is measured at `time`; `null` if it was missed. */
  see(face, time) {
    if (!face) return;
    if (this.#measured && time > this.seen) {
      const moved = [0, 1].map((c) => face.center[c] - this.#measured.center[c]);
      this.#speed = moved.map((way) => way / (time - this.seen));
    }
    this.#measured = face;
    this.seen = time;
    const [left, right] = face.eyes;
    const middle = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
    const way = [right[0] - left[0], right[1] - left[1]];
    this.size = Math.hypot(...way);
    // The place between the eyes, and the way from one to the other, which turns and grows.
    const [[x, y], [across, down]] = [middle, way].map((point, i) =>
      this.#filters[i].filter(point, time, this.size),
    );
    const eyes = [-0.5, 0.5].map((share) => [x + share * across, y + share * down]);
    this.face = { ...face, eyes };
  }

  /** Where it is at a later time, if it moves on as it did. */
  expected(time) {
    const there = (point) => point.map((at, c) => at + (time - this.seen) * this.#speed[c]);
    const { center, eyes } = this.#measured;
    return { ...this.#measured, center: there(center), eyes: eyes.map(there) };
  }
}

/** How far apart two faces' eyes are, in eye distances of the first. */
function distance({ eyes }, others) {
  const away = eyes.map(([x, y], i) => Math.hypot(others.eyes[i][0] - x, others.eyes[i][1] - y));
  return Math.max(...away) / Math.hypot(eyes[1][0] - eyes[0][0], eyes[1][1] - eyes[0][1]);
}

/** Without those that have come upon the same face as one before them. */
function apart(tracks) {
  const kept = [];
  for (const track of tracks) {
    if (kept.every((other) => distance(other.face, track.face) > NEAR / 2)) kept.push(track);
  }
  return kept;
}

function order(tracks) {
  for (let i = 0; i + 1 < tracks.length; i++) {
    const [larger, smaller] = [tracks[i], tracks[i + 1]];
    if (smaller.size > OVERTAKES * larger.size) tracks.splice(i, 2, smaller, larger);
  }
}
