"""The user study of table 4 as one HTML page: two systems' pictures, blind, side by side."""

import hashlib
import json
import pathlib

import numpy as np

from mbu_tf.data.images import read_image
from mbu_tf.data.search import images_by_stem
from mbu_tf.evaluation import markup
from mbu_tf.evaluation.report.showcase import picture_uri
from mbu_tf.system.files import replacing

PAIRS_ASKED = 20


def make_study(
    a, b, output, targets=None, references=None, content=None, count=PAIRS_ASKED, seed=0
):
    """Write a page that asks which of two systems' pictures is better.

    It holds all pictures, needs no server, and shows at each question two pictures of
    one name, sides and order drawn anew for everyone. Answers are made by keys or by
    touch and saved as a JSON file, which `tally_study` reads.

    Args:
        a, b: folders with each system's pictures, those of one pair under one name.
        output: the page, an HTML file.
        targets, references: folders with what they were made from, under the same
            names, or `None`. With references the page asks whose content is carried
            over better, with targets who is better preserved: the paper's questions 2
            and 3. Question 1, which is more real, is always asked.
        content: what the references have, in words such as "glasses", or `None`.
        count: names asked about, drawn at random.
        seed: of the draw.

    Returns:
        Number of questions that the page asks.

    Raises:
        FileNotFoundError: a folder is missing.
        ValueError: the folders have no name in common, or an image cannot be read.
        OSError: the page cannot be written.
    """
    folders = {"a": a, "b": b, "target": targets, "reference": references}
    found = {kind: images_by_stem(folder) for kind, folder in folders.items() if folder is not None}
    names = sorted(set.intersection(*map(set, found.values())))
    if not names:
        raise ValueError(
            "Pictures of one pair must have one name in every folder; no name is in all. "
            f"Received: {', '.join(str(folder) for folder in folders.values() if folder)}"
        )
    drawn = np.random.default_rng(seed).permutation(len(names))[:count]
    items = [
        {"name": names[i]}
        | {kind: picture_uri(read_image(paths[names[i]])) for kind, paths in found.items()}
        for i in sorted(drawn)
    ]
    study = {
        "systems": [str(pathlib.Path(folder)) for folder in (a, b)],
        "questions": _questions(found, content),
        "items": items,
    }
    # Answers of another study are not to be counted with these.
    study["study"] = hashlib.sha256(json.dumps(study).encode()).hexdigest()[:16]
    with replacing(output) as beside:
        beside.write_text(_page(study), encoding="utf-8")
    return len(study["questions"]) * len(items)


def _questions(found, content):
    """The paper's three questions, those whose pictures are there."""
    real = f"real picture with {content}" if content else "real picture"
    shown = content or "added content"
    questions = [{"id": "real", "text": f"Which looks more like a {real}?", "shows": None}]
    if "reference" in found:
        text = f"Which has the {shown} of this picture more faithfully?"
        questions.append({"id": "content", "text": text, "shows": "reference"})
    if "target" in found:
        text = "Which keeps all else of this picture better?"
        questions.append({"id": "preserved", "text": text, "shows": "target"})
    return questions


def _page(study):
    data = json.dumps(study).replace("<", "\\u003c")  # Nothing in it may end the script.
    body = [
        '<main><p id="progress"></p><div id="bar"><i></i></div><h1 id="question"></h1>',
        '<img id="shown" alt="the picture that the question is about" hidden>',
        '<div id="choices">',
        *(
            f'<button type="button" id="{side}"><img alt="{side} picture"><kbd>{key}</kbd></button>'
            for side, key in (("left", "←"), ("right", "→"))
        ),
        '</div><p id="help">Touch the better picture, or press ← or →.</p>',
        '<p><button type="button" id="back" hidden>Back</button></p></main>',
        f'<script type="application/json" id="study">{data}</script>',
    ]
    return markup.page("Which picture is better?", body, "study/study.css", "study/study.js")
