"""The answers of a user study, counted (table 4)."""

import numpy as np

from mbu_tf.system.reading import checked, read_json, refusing

# Two-sided 95 % of a normal distribution.
Z = 1.959963984540054

WORDS = {"type": "string", "minLength": 1}
SIDE = {"enum": ["a", "b"]}
ANSWERS = {
    "type": "object",
    "required": ["study", "systems", "questions", "participant", "answers"],
    "properties": {
        "study": WORDS,
        "systems": {"type": "array", "items": WORDS, "minItems": 2, "maxItems": 2},
        "questions": {"type": "object", "additionalProperties": WORDS, "minProperties": 1},
        "participant": WORDS,
        "answers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["question", "chosen", "left"],
                "properties": {"question": WORDS, "chosen": SIDE, "left": SIDE},
            },
        },
    },
}
KIND = "answers as the page of `mbu-tf study make` saves them"
MEND = "Leave it out, or have it sent again."


def tally_study(paths):
    """Count the answer files of one study.

    Args:
        paths: files that the page of `make_study` has saved. A participant's answers
            count once, those of the file with the most.

    Returns:
        Dictionary with `systems`, the names of the first and the second one;
        `participants`; `left`, the share of answers that chose the left side, which
        should be near a half; and `questions`: by their texts `preferred`, the share
        that chose the first system, `low` and `high`, its 95 % confidence interval
        (Wilson, 1927, as if all answers were independent), and `n` answers.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file holds no answers, or those of another study.
    """
    files = [_read(path) for path in paths]
    if not files or len({file["study"] for file in files}) != 1:
        raise ValueError(
            "Answers are counted of one page at a time. Received: answers of "
            f"{len({file['study'] for file in files})} pages"
        )
    people = {}
    for file in sorted(files, key=lambda file: len(file["answers"])):
        people[file["participant"]] = file
    answers = [answer for file in people.values() for answer in file["answers"]]
    questions = {}
    for question, text in files[0]["questions"].items():
        chosen = [each["chosen"] == "a" for each in answers if each["question"] == question]
        if chosen:
            low, high = confidence_interval(sum(chosen), len(chosen))
            questions[text] = {
                "preferred": sum(chosen) / len(chosen),
                "low": low,
                "high": high,
                "n": len(chosen),
            }
    left = [each["chosen"] == each["left"] for each in answers]
    return {
        "systems": files[0]["systems"],
        "participants": len(people),
        "left": sum(left) / len(left),
        "questions": questions,
    }


def confidence_interval(successes, n, z=Z):
    """Wilson's interval of a share: `(low, high)`, of `successes` among `n`."""
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def _read(path):
    try:
        found = read_json(path, ANSWERS, KIND, MEND)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no answer file {path}.") from None
    with refusing(path, KIND, MEND):
        asked = {"items": {"properties": {"question": {"enum": list(found["questions"])}}}}
        checked(found["answers"], asked)
    return found
