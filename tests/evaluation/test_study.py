"""The user study: its page, answered in Chromium where there is one, and its tally."""

import json
import pathlib
import re

import numpy as np
import pytest

from mbu_tf.cli.main import main
from mbu_tf.data.images import write_png
from mbu_tf.evaluation.study.page import make_study
from mbu_tf.evaluation.study.tally import confidence_interval, tally_study

CHROMIUM = pathlib.Path("/usr/bin/chromium")


@pytest.fixture
def folders(tmp_path):
    for i, name in enumerate(["ours", "theirs", "targets", "references"]):
        (tmp_path / name).mkdir()
        for number in range(4):
            picture = np.full((8, 8, 3), 50 * i + number, np.uint8)
            write_png(tmp_path / name / f"{number}.png", picture)
    (tmp_path / "theirs" / "3.png").unlink()
    return tmp_path


def study_of(page):
    text = re.search(r'<script type="application/json" id="study">(.*?)</script>', page, re.S)[1]
    return json.loads(text)


def make(folders, **options):
    page = folders / "page.html"
    asked = make_study(folders / "ours", folders / "theirs", page, **options)
    return asked, study_of(page.read_text())


def test_what_the_page_asks(folders):
    asked, study = make(folders)
    assert asked == 3 and [q["id"] for q in study["questions"]] == ["real"]
    assert [item["name"] for item in study["items"]] == ["0", "1", "2"]
    both = {name: folders / name for name in ("targets", "references")}
    asked, study = make(folders, **both, content="glasses", count=2)
    assert asked == 6 and len(study["items"]) == 2
    shows = {q["id"]: q["shows"] for q in study["questions"]}
    assert shows == {"real": None, "content": "reference", "preserved": "target"}
    assert "glasses" in study["questions"][1]["text"]


def test_another_study_has_another_name(folders):
    studies = [make(folders, seed=0, count=n)[1]["study"] for n in (2, 2, 3)]
    assert studies[0] == studies[1] != studies[2]


def test_folders_without_a_common_name(folders):
    for i in range(3):
        (folders / "theirs" / f"{i}.png").rename(folders / "theirs" / f"other{i}.png")
    with pytest.raises(ValueError, match="no name is in all"):
        make(folders)


def answers(path, chosen, participant="p", study="s", left="a"):
    questions = {"real": "Which is real?", "content": "Whose glasses?"}
    each = [
        {"question": question, "item": str(i), "chosen": choice, "left": left, "seconds": 1.0}
        for question, choices in chosen.items()
        for i, choice in enumerate(choices)
    ]
    found = {"study": study, "systems": ["ours", "theirs"], "questions": questions}
    path.write_text(json.dumps({**found, "participant": participant, "answers": each}))
    return path


def test_the_tally(tmp_path, capsys):
    files = [
        answers(tmp_path / "1.json", {"real": "aaab", "content": "bb"}, "one"),
        answers(tmp_path / "2.json", {"real": "aabb"}, "two", left="b"),
        # The first one again, sent before it was complete.
        answers(tmp_path / "3.json", {"real": "a"}, "one"),
    ]
    found = tally_study(files)
    assert found["participants"] == 2 and found["systems"] == ["ours", "theirs"]
    real = found["questions"]["Which is real?"]
    assert (real["preferred"], real["n"]) == (5 / 8, 8)
    assert found["questions"]["Whose glasses?"]["preferred"] == 0.0
    assert found["left"] == (3 + 2) / 10
    assert main(["study", "tally", *map(str, files), "--output", str(tmp_path / "t.json")]) == 0
    assert "62% (31% to 86%, n 8)" in capsys.readouterr().out
    assert json.loads((tmp_path / "t.json").read_text()) == found


def test_the_interval_is_wilsons():
    # Newcombe (1998), table I: 81 of 263, and 0 of 20.
    assert confidence_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert confidence_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_what_is_no_answer_is_told(tmp_path):
    good = answers(tmp_path / "1.json", {"real": "a"})
    with pytest.raises(ValueError, match="answers of 2 pages"):
        tally_study([good, answers(tmp_path / "2.json", {"real": "a"}, study="other")])
    for text in ("{}", "no JSON", '{"answers": [{"chosen": "c", "left": "a"}]}'):
        (tmp_path / "3.json").write_text(text)
        with pytest.raises(ValueError, match="3.json holds no answers"):
            tally_study([good, tmp_path / "3.json"])
    with pytest.raises(FileNotFoundError, match="There is no answer file"):
        tally_study([tmp_path / "none.json"])


@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's package chromium is not installed")
def test_answered_by_keys_and_by_touch(folders, tmp_path):
    api = pytest.importorskip("playwright.sync_api")
    page_file = tmp_path / "page.html"
    command = ["study", "make", str(folders / "ours"), str(folders / "theirs"), "--output"]
    assert main([*command, str(page_file), "--references", str(folders / "references")]) == 0
    study = study_of(page_file.read_text())
    pictures = {item["a"] for item in study["items"]}
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 700})
        page = context.new_page()
        page.goto(page_file.as_uri())
        shown = []
        for number in range(6):
            page.get_by_text(f"{number} of 6").wait_for()
            assert page.locator("#shown").is_visible() == (number >= 3)
            is_ours = page.locator("#left img").get_attribute("src") in pictures
            shown.append(is_ours)
            # Always ours, whatever its side.
            if number % 2:
                page.locator("#left" if is_ours else "#right").tap()
            else:
                page.keyboard.press("ArrowLeft" if is_ours else "ArrowRight")
            if number == 1:
                page.get_by_role("button", name="Back").click()
                page.keyboard.press("1" if is_ours else "2")
        assert not page.locator("#choices").is_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save answers").click()
        download.value.save_as(tmp_path / "answers.json")
        browser.close()
    saved = json.loads((tmp_path / "answers.json").read_text())
    assert [each["left"] == "a" for each in saved["answers"]] == shown
    found = tally_study([tmp_path / "answers.json"])
    assert [each["preferred"] for each in found["questions"].values()] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("answers",), []),
        (("answers",), {"a": 1}),
        (("answers", 0), "a"),
        (("answers", 0, "left"), "c"),
        (("answers", 0, "question"), "unasked"),
        (("answers", 0, "question"), ["real"]),
        (("systems",), ["ours"]),
        (("systems",), "ab"),
        (("questions",), ["real"]),
        (("questions", "real"), 3),
        (("participant",), ["p"]),
        (("study",), {}),
    ],
)
def test_damaged_answers_are_told_of_by_name(tmp_path, place, value):
    path = answers(tmp_path / "1.json", {"real": "ab"})
    found = part = json.loads(path.read_text())
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    path.write_text(json.dumps(found))
    with pytest.raises(ValueError, match="1.json holds no answers .*Received: .+"):
        tally_study([path])


def test_the_tally_does_not_replace_the_answers(tmp_path, capsys):
    path = answers(tmp_path / "1.json", {"real": "ab"})
    assert main(["study", "tally", str(path), "--output", str(path)]) == 1
    assert "would be overwritten by its own result" in capsys.readouterr().err
    assert tally_study([path])["participants"] == 1
