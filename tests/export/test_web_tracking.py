"""How the page follows faces through frames, run by node alone."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from export_scripts import EXPORT

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def node(script, given):
    """What `script` makes of `given`; it may use all of tracking.js."""
    module = (EXPORT / "web" / "js" / "tracking.js").as_uri()
    program = f"""
        import {{ readFileSync }} from "node:fs";
        const {{ OneEuroFilter, FaceTracker }} = await import("{module}");
        const given = JSON.parse(readFileSync(0, "utf8"));
        const made = await ({script})(given);
        process.stdout.write(JSON.stringify(made));
    """
    command = ["node", "--input-type=module", "-e", program]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def one_euro(points, times, minimum, slope, derivative, unit):
    """Algorithm 1 of Casiez et al., of complex numbers, the speed from the measurements."""

    def alpha(cutoff, step):
        tau = 1 / (2 * np.pi * cutoff)
        return 1 / (1 + tau / step)

    value, speed = points[0], 0
    yield value
    for i in range(1, len(points)):
        step = times[i] - times[i - 1]
        measured = (points[i] - points[i - 1]) / step / unit
        a = alpha(derivative, step)
        speed = a * measured + (1 - a) * speed
        a = alpha(minimum + slope * abs(speed), step)
        value = a * points[i] + (1 - a) * value
        yield value


def test_the_one_euro_filter_is_the_papers():
    random = np.random.default_rng(0)
    times = np.cumsum(random.uniform(0.01, 0.1, 40))
    points = np.cumsum(random.normal(0, 3, 40)) + 1j * np.cumsum(random.normal(0, 9, 40))
    made = node(
        """({ settings, points, times }) => {
            const filter = new OneEuroFilter(settings);
            return points.map((point, i) => filter.filter(point, times[i], 50));
        }""",
        {
            "settings": {"minimum": 0.7, "slope": 3, "derivative": 1.5},
            "points": [[z.real, z.imag] for z in points],
            "times": times.tolist(),
        },
    )
    expected = list(one_euro(points, times, 0.7, 3, 1.5, 50))
    np.testing.assert_allclose([x + 1j * y for x, y in made], expected, atol=1e-9)


# A finder that knows where the faces are: given the faces of each frame, it finds all when
# asked to search the whole, and that within an eye distance when asked to look.
FOLLOW = """
async ({ frames, step }) => {
  const calls = [];
  const finder = {
    async search({ faces }, longest, turn) {
      calls.push(turn === null ? "whole" : "part");
      return turn === null ? faces : [];
    },
    async look({ faces }, { eyes: [[x, y]] }) {
      const near = ({ eyes: [left, right] }) =>
        Math.hypot(left[0] - x, left[1] - y) < right[0] - left[0];
      return faces.find(near) ?? null;
    },
  };
  const tracker = new FaceTracker(finder);
  const followed = [];
  for (const [i, faces] of frames.entries()) {
    const found = await tracker.follow({ faces }, i * step);
    followed.push(found.map(({ eyes }) => eyes));
  }
  return { followed, calls };
}
"""


def face(x, y, distance=40):
    eyes = [[x - distance / 2, y], [x + distance / 2, y]]
    return {"center": [x, y], "side": 2.4 * distance, "eyes": eyes, "score": 0.9}


def follow(*frames, step=1 / 30):
    made = node(FOLLOW, {"frames": frames, "step": step})
    return [np.array(x) for x in made["followed"]], made["calls"]


def test_a_face_is_followed_without_searching_and_with_little_lag():
    """It moves by 5 eye distances a second, evenly: the lag is bounded by 1 / (20 pi)."""
    path = [100 + 200 * i / 30 for i in range(45)]
    followed, calls = follow(*[[face(x, 200)] for x in path])
    assert calls == ["whole"] + ["part"] * 22  # In every other frame for others.
    lags = [x - eyes[0].mean(axis=0)[0] for x, eyes in zip(path, followed, strict=True)]
    assert 0 <= min(lags) and max(lags[30:]) < 40 / (20 * np.pi)


def test_a_still_face_trembles_less_than_it_is_measured():
    random = np.random.default_rng(0)
    places = 200 + random.normal(0, 0.5, (90, 2))
    followed, _ = follow(*[[face(*place)] for place in places.tolist()])
    middles = np.array([eyes[0].mean(axis=0) for eyes in followed])[20:]
    measured = np.linalg.norm(np.diff(places[20:], axis=0), axis=1).mean()
    assert np.linalg.norm(np.diff(middles, axis=0), axis=1).mean() < 0.4 * measured


def test_a_missed_face_stays_for_a_moment_and_is_searched_for():
    there, gone = [face(200, 200)], []
    followed, calls = follow(*[there] * 3, *[gone] * 9, *[there] * 2)
    counts = [len(eyes) for eyes in followed]
    assert counts == [1] * 3 + [1] * 6 + [0] * 3 + [1] * 2  # 0.2 s are 6 frames.
    assert calls == ["whole", "part"] + ["whole"] * 10 + ["part"]


def test_the_largest_is_the_first_and_keeps_its_place():
    near, far = face(400, 200, 50), face(100, 200, 45)
    grown = face(100, 200, 55)  # Larger, but not by much,
    large = face(100, 200, 80)  # and now by much.
    followed, _ = follow([near, far], [near, grown], [large, near])
    first = [eyes[0].mean(axis=0)[0] for eyes in followed]
    assert first[0] == first[1] == 400 and first[2] < 200


def test_a_face_that_jumps_is_another():
    followed, _ = follow([face(100, 100)], [face(500, 400)], step=0.3)
    np.testing.assert_allclose(followed[1].mean(axis=1), [[500, 400]])
