"""Renders the sample faces of the page anew: python export/web/render_faces.py

CC0 1.0 avatars (Open Peeps) that no model of this project was trained on.
"""

import pathlib

from mbu_tf.data.avatar_faces import render_face
from mbu_tf.system.files import replacing

SIZE = 256
REFERENCES = ["glasses", "glasses2", "glasses3", "glasses5", "sunglasses", "sunglasses2"]
FACES = {
    "target-1": ("page/target/3", None),
    "target-2": ("page/target/1", None),
    "target-3": ("page/target/2", None),
    "target-with-glasses": ("page/target/4", "sunglasses"),
    **{f"reference-{name}": (f"page/reference/{name}", name) for name in REFERENCES},
}


def main():
    folder = pathlib.Path(__file__).resolve().parent / "faces"
    for name, (seed, variant) in FACES.items():
        with replacing(folder / f"{name}.png") as beside:
            beside.write_bytes(render_face("glasses", seed, variant, SIZE))


if __name__ == "__main__":
    main()
