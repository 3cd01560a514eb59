"""Which CelebA images belong to which domain, by their 40 attributes.

A rule is an expression over attribute names: `&` or `and`, `|` or `or`, `~` or
`not`, parentheses; for example `Male & ~(Mustache | Goatee)`.
"""

import ast
import difflib
import functools
import re

import numpy as np

ATTRIBUTES = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose "
    "Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee "
    "Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes "
    "No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling "
    "Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace "
    "Wearing_Necktie Young"
).split()

# As many as all attributes take twenty times over.
LONGEST = 10_000

# No mere stubble: the papers' rules for facial hair leave it out on both sides.
_MAN = "Male & ~5_o_Clock_Shadow"
_BEARD = "(Mustache | Goatee | ~No_Beard)"
_NO_BEARD = "No_Beard & ~Mustache & ~Goatee"


def _rule(a, b, description):
    return {"a": a, "b": b, "description": description}


# The tasks of "Mask Based Unsupervised Content Transfer" (A without, B with; the
# published code swaps the letters) and, from beard_x_glasses on, of "Domain
# Intersection and Domain Difference", whose domains both have content.
# No image satisfies both rules of a task: where the published code asks for A
# only after B (or B after A, blond_x_black), the later rule here says so itself.
RULES = {
    "glasses": _rule("~Eyeglasses", "Eyeglasses", "Glasses."),
    "male_glasses": _rule("Male & ~Eyeglasses", "Male & Eyeglasses", "Glasses of men."),
    "female_glasses": _rule("~Male & ~Eyeglasses", "~Male & Eyeglasses", "Glasses of women."),
    "mouth": _rule("~Mouth_Slightly_Open", "Mouth_Slightly_Open", "An open mouth."),
    "smile": _rule("~Smiling", "Smiling", "A smile."),
    "beard": _rule(f"{_MAN} & {_NO_BEARD}", f"{_MAN} & {_BEARD}", "Facial hair of men."),
    "womens_hair": _rule(
        "~Male & Blond_Hair & ~Black_Hair",
        "~Male & Black_Hair & ~Blond_Hair",
        "Women's hair: A blond, B black.",
    ),
    "mens_hair": _rule(
        "Male & Bald & ~Wearing_Hat & ~Receding_Hairline & ~Gray_Hair",
        "Male & ~Bald & ~Wearing_Hat & ~Young",
        "Men's hair: A bald, B not.",
    ),
    "beard_x_glasses": _rule(
        f"{_MAN} & {_BEARD} & ~Eyeglasses",
        f"{_MAN} & {_NO_BEARD} & Eyeglasses",
        "Men: A has facial hair, B glasses.",
    ),
    "beard_x_smile": _rule(
        f"{_MAN} & {_BEARD} & ~Smiling",
        f"{_MAN} & {_NO_BEARD} & Smiling",
        "Men: A has facial hair, B smiles.",
    ),
    "smile_x_glasses": _rule(
        "Smiling & ~Eyeglasses", "~Smiling & Eyeglasses", "A smiles, B has glasses."
    ),
    "male_x_female": _rule("Male", "~Male", "A men, B women."),
    "blond_x_black": _rule(
        "Blond_Hair & ~Wearing_Hat",
        "Black_Hair & ~Blond_Hair & ~Wearing_Hat",
        "Hair without hats: A blond, B black.",
    ),
}
RULES["facial_hair"] = RULES["beard"]


def parse_task(task, attributes=ATTRIBUTES):
    """The rules `(a, b)` of a task, as expressions.

    Args:
        task: a name in `RULES`; or an expression for B, of which A is the
            contrary (such as `Wearing_Hat`); or both: `"A: …; B: …"`.
        attributes: the names that expressions may use.

    Raises:
        ValueError: an unknown name (the nearest ones are named), or no expression.
    """
    task = task.strip()
    if task in RULES:
        return RULES[task]["a"], RULES[task]["b"]
    both = re.fullmatch(r"A\s*:(.*);\s*B\s*:(.*)", task, re.DOTALL)
    rules = both.groups() if both else (f"~({task})", task)
    for rule in reversed(rules):  # B first, so that errors show it as it was written.
        evaluate(rule, dict.fromkeys(attributes, False))
    return rules


def evaluate(expression, table):
    """Which images satisfy an expression over attributes.

    Args:
        expression: see the module's docstring.
        table: mapping from attribute names to boolean arrays of one shape.

    Returns:
        Boolean array of that shape.

    Raises:
        ValueError: an unknown name (the nearest ones are named), or no expression.
    """
    if len(expression) > LONGEST:
        raise ValueError(
            f"A rule has at most {LONGEST} letters. Received: {len(expression)}, "
            f"{expression[:60]!r} and so on"
        )
    try:
        return _evaluate(_parse(expression), table, expression)
    except RecursionError as error:
        raise ValueError(
            f"A rule is nested too deep. Received: {expression[:60]!r} and so on"
        ) from error


@functools.lru_cache
def _parse(expression):
    # Names such as 5_o_Clock_Shadow are none in Python; with an underscore before, all are.
    words = re.sub(r"\b(?!(?:and|or|not)\b)(?=\w)", "_", " ".join(expression.split()))
    try:
        return ast.parse(words, mode="eval").body
    except MemoryError as error:  # Of the parser's own stack.
        raise RecursionError from error
    except (SyntaxError, ValueError):
        return None


def _evaluate(node, table, expression):
    if isinstance(node, ast.Name):
        return table[_known(node.id[1:], table, expression)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Invert, ast.Not)):
        return np.logical_not(_evaluate(node.operand, table, expression))
    if isinstance(node, (ast.BinOp, ast.BoolOp)):
        parts = [node.left, node.right] if isinstance(node, ast.BinOp) else node.values
        values = (_evaluate(part, table, expression) for part in parts)
        if isinstance(node.op, (ast.BitAnd, ast.And)):
            return functools.reduce(np.logical_and, values)
        if isinstance(node.op, (ast.BitOr, ast.Or)):
            return functools.reduce(np.logical_or, values)
    raise ValueError(
        "A rule is made of attribute names, &, |, ~ (or and, or, not) and parentheses. "
        f"Received: {expression!r}"
    )


def _known(name, table, expression):
    if name in table:
        return name
    names = {known.lower(): known for known in [*RULES, *table]}
    near = difflib.get_close_matches(name.lower(), names, n=3)
    near = near or [known for known in names if name.lower() in known]
    hint = f" Did you mean {' or '.join(names[known] for known in near)}?" if near else ""
    raise ValueError(
        f"There is no task or attribute {name!r}.{hint} Tasks are {', '.join(RULES)}, and rules "
        f"over the attributes' names. Received: {expression!r}"
    )
