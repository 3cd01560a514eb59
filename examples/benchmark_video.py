"""How much faces that are followed through a video tremble and lag, and what a frame costs.

    python examples/benchmark_video.py face.jpg other.jpg --model model.keras --reference her.jpg

Each photo becomes 8 seconds of 640 x 480, 30 frames per second, with noise: its largest
face, eyes 60 pixels apart, rests, pans to and fro, nods, comes nearer and turns. Where the
eyes truly are is known but for the detector's own idea of where an eye is, so what counts
is how its findings move against the photo: their median is no error. Times are of the
processor, all threads together, so that other work does not show in them.
"""

import argparse
import math
import pathlib
import tempfile
import time

import numpy as np
from PIL import Image

from mbu_tf import load_model
from mbu_tf.data import read_image
from mbu_tf.faces import FACE, choose_faces, find_faces
from mbu_tf.faces.tracking import Eyes, follow_faces
from mbu_tf.photos import translate_photo
from mbu_tf.photos.views import views
from mbu_tf.video.reading import Frame, VideoFile
from mbu_tf.video.writing import opened_output

RATE, DISTANCE, NOISE = 30, 60, 3
WIDTH, HEIGHT = 640, 480


def path(t):
    """Shift in eye distances, zoom and turn of the face at second `t`."""

    def ramp(start, end):
        return 0.5 - 0.5 * math.cos(math.pi * min(max((t - start) / (end - start), 0), 1))

    pan = 1.6 * ramp(1, 1.6) - 2.4 * ramp(2.5, 3) + 0.8 * ramp(4, 6)
    nod = 0.4 * math.sin(3 * math.pi * t) * ramp(3.3, 3.6) * ramp(6.5, 6)  # 1.5 Hz
    return pan + 1j * nod, 1 + 0.3 * ramp(4.5, 6), math.radians(20) * (ramp(5, 5.6) - ramp(6.2, 7))


def filmed(photo, seconds):
    """Frames, and for each the similarity (turn, shift) from the photo to it, complex."""
    face = choose_faces(find_faces(photo))[0]
    eyes, random = Eyes.of(face), np.random.default_rng(0)
    picture = Image.fromarray(photo)
    for number in range(round(RATE * seconds)):
        shift, zoom, angle = path(number / RATE)
        turn = zoom * np.exp(1j * angle) * DISTANCE / abs(eyes.span)
        shift = WIDTH / 2 + 0.45j * HEIGHT + DISTANCE * shift - turn * eyes.centre
        back, corner = 1 / turn, -shift / turn
        matrix = (back.real, -back.imag, corner.real, back.imag, back.real, corner.imag)
        size, bicubic = (WIDTH, HEIGHT), Image.Resampling.BICUBIC
        image = np.array(picture.transform(size, Image.Transform.AFFINE, matrix, bicubic))
        image = np.clip(image + random.normal(0, NOISE, image.shape), 0, 255).astype(np.uint8)
        yield Frame(image, number / RATE, number, 1), turn, shift


def one_euro(times, paths, unit, minimum=1.0, slope=5.0, derivative=1.0):
    """The filter of Casiez, Roussel and Vogel (CHI 2012), speeds in eye distances per second."""
    value, speed, out = paths[0], np.zeros(2, complex), [paths[0]]
    for step, last, new in zip(np.diff(times), paths, paths[1:], strict=False):

        def share(cutoff, step=step):
            return 1 / (1 + 1 / (2 * math.pi * cutoff * step))

        speed = speed + share(derivative) * ((new - last) / step / unit - speed)
        value = value + share(minimum + slope * np.abs(speed)) * (new - value)
        out.append(value)
    return np.array(out)


def errors(found, turns, shifts):
    """Of (centre, span) in frames: how far a lens's outer end is off, in % of the eye distance."""
    centre, span = (found[:, 0] - shifts) / turns, found[:, 1] / turns
    end = centre + span
    return 100 * (end - np.median(end.real) - 1j * np.median(end.imag)) / abs(span.mean())


def measure(name, photo, seconds):
    frames, turns, shifts = zip(*filmed(photo, seconds), strict=True)
    turns, shifts, seen = np.array(turns), np.array(shifts), []

    def find(image, near=None, **options):
        faces = find_faces(image, near=near, **options)
        if near is not None or not seen:
            seen.append(Eyes.of(faces[0]))
        return faces

    followed = [faces for _, faces in follow_faces(frames, find)]
    ours = [
        Eyes((complex(*b) + complex(*a)) / 2, complex(*b) - complex(*a)) for [(a, b)] in followed
    ]
    times, raw = np.arange(len(frames)) / RATE, np.array(seen)
    ways = {"as found": raw, "one-euro": one_euro(times, raw, DISTANCE), "smoothed": np.array(ours)}
    still = times < 1
    for way, found in ways.items():
        error = errors(found, turns, shifts)
        steps = np.abs(np.diff(error))
        parts = (steps[still[1:]], steps[~still[1:]], np.abs(error))
        rms = [np.sqrt(np.mean(part**2)) if len(part) else math.nan for part in parts]
        print(f"{name:20} {way:10} " + " ".join(f"{x:8.2f}" for x in rms))
    return frames


def cost(frames, model, reference):
    """Milliseconds of processor time for one frame, by part."""
    with tempfile.TemporaryDirectory() as folder:
        source, copy = pathlib.Path(folder) / "clip.mp4", pathlib.Path(folder) / "copy.mp4"
        write_clip(source, frames)
        video = VideoFile(source)
        read = per_frame(lambda: list(video.frames()), len(frames))

        def write():
            with opened_output(copy, video) as writer:
                for frame in frames:
                    writer.write(frame.image, frame)

        yield "read", read
        yield "write", per_frame(write, len(frames))
    images = [frame.image for frame in frames[:40]]
    faces = [find_faces(image) for image in images]
    yield "find, whole frame", per_frame(lambda: [find_faces(x) for x in images], len(images))
    pairs = list(zip(images, faces, strict=True))
    yield (
        "find, known face",
        per_frame(lambda: [find_faces(x, near=y) for x, y in pairs], len(pairs)),
    )
    shown = views(reference, FACE)[0]

    def edit(**options):
        for image, face in pairs:
            translate_photo(model, image, shown, framing=FACE, face=face, **options)

    with model.in_graphs():
        for name, detail in (("edit", True), ("edit, no detail", False)):
            edit(detail=detail)
            yield name, per_frame(lambda detail=detail: edit(detail=detail), len(pairs))


def write_clip(path, frames):
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"crf": "17"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, "rgb24")))
        file.mux(stream.encode(None))


def per_frame(work, count):
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="with a face each")
    parser.add_argument("--model", help="a .keras file: what a frame costs is measured, too")
    parser.add_argument("--reference", help="photo that shows the content (default: the last)")
    parser.add_argument("--seconds", type=float, default=8, help="of each video (default: 8)")
    arguments = parser.parse_args()
    print("% of the eye distance: from frame to frame at rest, in motion; error")
    for name in arguments.photos:
        frames = measure(pathlib.Path(name).stem, read_image(name), arguments.seconds)
    if arguments.model:
        reference = read_image(arguments.reference or arguments.photos[-1])
        for part, milliseconds in cost(frames, load_model(arguments.model), reference):
            print(f"{part:20} {milliseconds:8.1f} ms")


if __name__ == "__main__":
    main()
