"""The attribute rules against the published code, written out in plain Python."""

import itertools

import numpy as np
import pytest

from mbu_tf.data import celeba_rules


def bearded(p):
    return p["Mustache"] or p["Goatee"] or not p["No_Beard"]


def shadowless_man(p):
    return p["Male"] and not p["5_o_Clock_Shadow"]


def by(attribute):
    return lambda p: "B" if p[attribute] else "A"


def beard(p):
    if shadowless_man(p) and bearded(p):
        return "B"
    return "A" if shadowless_man(p) and p["No_Beard"] else None


def womens_hair(p):
    if p["Male"] or p["Blond_Hair"] == p["Black_Hair"]:
        return None
    return "B" if p["Black_Hair"] else "A"


def mens_hair(p):
    if p["Male"] and not p["Bald"] and not p["Wearing_Hat"] and not p["Young"]:
        return "B"
    bald = p["Male"] and p["Bald"] and not p["Wearing_Hat"]
    return "A" if bald and not p["Receding_Hairline"] and not p["Gray_Hair"] else None


def beard_against(other):
    def rule(p):
        if shadowless_man(p) and bearded(p) and not p[other]:
            return "A"
        return "B" if shadowless_man(p) and not bearded(p) and p[other] else None

    return rule


def smile_x_glasses(p):
    if p["Smiling"] == p["Eyeglasses"]:
        return None
    return "A" if p["Smiling"] else "B"


def blond_x_black(p):
    if p["Wearing_Hat"]:
        return None
    if p["Blond_Hair"]:
        return "A"
    return "B" if p["Black_Hair"] else None


# The published preprocessing in plain Python, with A without and B with.
PUBLISHED = {
    "glasses": by("Eyeglasses"),
    "male_glasses": lambda p: by("Eyeglasses")(p) if p["Male"] else None,
    "female_glasses": lambda p: None if p["Male"] else by("Eyeglasses")(p),
    "mouth": by("Mouth_Slightly_Open"),
    "smile": by("Smiling"),
    "beard": beard,
    "facial_hair": beard,
    "womens_hair": womens_hair,
    "mens_hair": mens_hair,
    "beard_x_glasses": beard_against("Eyeglasses"),
    "beard_x_smile": beard_against("Smiling"),
    "smile_x_glasses": smile_x_glasses,
    "male_x_female": lambda p: "A" if p["Male"] else "B",
    "blond_x_black": blond_x_black,
}
BEARDS = ["Male", "5_o_Clock_Shadow", "Mustache", "Goatee", "No_Beard"]
RELEVANT = {
    "mouth": ["Mouth_Slightly_Open", "Male"],
    "beard": BEARDS,
    "facial_hair": BEARDS,
    "womens_hair": ["Male", "Blond_Hair", "Black_Hair"],
    "mens_hair": ["Male", "Bald", "Wearing_Hat", "Young", "Receding_Hairline", "Gray_Hair"],
    "beard_x_glasses": [*BEARDS, "Eyeglasses"],
    "beard_x_smile": [*BEARDS, "Smiling"],
    "blond_x_black": ["Blond_Hair", "Black_Hair", "Wearing_Hat"],
}


def test_every_rule_is_checked():
    assert set(celeba_rules.RULES) == set(PUBLISHED)
    assert all(set(rule) == {"a", "b", "description"} for rule in celeba_rules.RULES.values())
    assert len(set(celeba_rules.ATTRIBUTES)) == 40


@pytest.mark.parametrize("task", PUBLISHED)
def test_named_rules_are_those_of_the_published_code(task):
    relevant = RELEVANT.get(task, ["Male", "Smiling", "Eyeglasses"])
    people = [
        dict.fromkeys(celeba_rules.ATTRIBUTES, False) | dict(zip(relevant, bits, strict=True))
        for bits in itertools.product([False, True], repeat=len(relevant))
    ]
    table = {name: np.array([p[name] for p in people]) for name in celeba_rules.ATTRIBUTES}
    a, b = (celeba_rules.evaluate(rule, table) for rule in celeba_rules.parse_task(task))
    expected = [PUBLISHED[task](p) for p in people]
    assert a.tolist() == [domain == "A" for domain in expected]
    assert b.tolist() == [domain == "B" for domain in expected]
    assert a.any()
    assert b.any()


TABLE = {
    "Male": np.array([0, 0, 0, 0, 1, 1, 1, 1], bool),
    "Young": np.array([0, 0, 1, 1, 0, 0, 1, 1], bool),
    "5_o_Clock_Shadow": np.array([0, 1, 0, 1, 0, 1, 0, 1], bool),
}


@pytest.mark.parametrize(
    ("expression", "python"),
    [
        ("Male", lambda m, y, s: m),
        ("~5_o_Clock_Shadow", lambda m, y, s: not s),
        ("Male & ~Young | 5_o_Clock_Shadow", lambda m, y, s: (m and not y) or s),
        ("Male & ~(Young | 5_o_Clock_Shadow)", lambda m, y, s: m and not (y or s)),
        ("not Male and Young or 5_o_Clock_Shadow", lambda m, y, s: (not m and y) or s),
        ("Male\n and Young and not ~5_o_Clock_Shadow", lambda m, y, s: m and y and s),
        ("  ~~Male&Young", lambda m, y, s: m and y),
    ],
)
def test_expressions(expression, python):
    expected = [bool(python(*row)) for row in zip(*TABLE.values(), strict=True)]
    assert celeba_rules.evaluate(expression, TABLE).tolist() == expected
    assert celeba_rules.evaluate(f"~({expression})", TABLE).tolist() == [not x for x in expected]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "Male +",
        "Male + Young",
        "Male ^ Young",
        "-Male",
        "1",
        "'Male'",
        "Male < Young",
        "Male if Young else Male",
        "Male.any",
        "Male[0]",
        "Male()",
        "__import__('os').system('true')",
        "lambda: Male",
        "Male) | (Young",
        "Male; Young",
        "Male Young",
        "Male\0",
        "(" * 500 + "Male" + ")" * 500,
    ],
)
def test_anything_else_is_refused(expression):
    with pytest.raises(ValueError, match="Received: "):
        celeba_rules.evaluate(expression, TABLE)
    with pytest.raises(ValueError, match="Received: "):
        celeba_rules.parse_task(expression)


@pytest.mark.parametrize(
    ("task", "hint"),
    [
        ("glases", "'glases'. Did you mean glasses"),
        ("eyeglasses", "Did you mean Eyeglasses"),
        ("Male & ~Mustach", "'Mustach'. Did you mean Mustache.*Received: 'Male & ~Mustach'"),
        ("hat", "Did you mean Wearing_Hat"),
        ("A: Male; B: Femal", "There is no task or attribute 'Femal'"),
        ("xyz", r"'xyz'\. Tasks are glasses, male_glasses"),
    ],
)
def test_unknown_names(task, hint):
    with pytest.raises(ValueError, match=hint):
        celeba_rules.parse_task(task)


def test_tasks_as_expressions():
    assert celeba_rules.parse_task("glasses") == ("~Eyeglasses", "Eyeglasses")
    a, b = celeba_rules.parse_task("Male & Young")
    assert celeba_rules.evaluate(a, TABLE).tolist() == [True] * 6 + [False] * 2
    a, b = celeba_rules.parse_task(" A: Male & ~Young; B : Male & Young ")
    assert celeba_rules.evaluate(a, TABLE).tolist() == [False] * 4 + [True] * 2 + [False] * 2
    assert celeba_rules.evaluate(b, TABLE).tolist() == [False] * 6 + [True] * 2


@pytest.mark.parametrize(
    "task", ["~" * 9000 + "Male", "(" * 4000 + "Male" + ")" * 4000, "a" * 10**6]
)
def test_rules_that_are_too_long_or_too_deep(task):
    with pytest.raises(ValueError, match="A rule (is|has at most)"):
        celeba_rules.parse_task(task)
