"""`mbu-tf study`: the paper's user study, a page to be answered and the answers counted."""

import argparse

from mbu_tf.cli.arguments import add_command, positive_int, seed_number


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "study",
        "ask people which of two systems' pictures are better",
        None,
        [
            "mbu-tf study make report/images/mbu report/images/cd --output page.html",
            "mbu-tf study make report/images/mbu report/images/cd --targets report/images/targets "
            "--references report/images/references --content glasses --output page.html",
            "mbu-tf study tally answers*.json",
        ],
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    _add_make(steps)
    _add_tally(steps)


def _add_make(steps):
    make = steps.add_parser(
        "make",
        help="write the page: blind, sides at random, answers saved as JSON",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    make.set_defaults(run=run_make)
    make.add_argument("a", metavar="A_DIR", help="the first system's pictures")
    make.add_argument("b", metavar="B_DIR", help="the second's, under the same names")
    make.add_argument("--output", required=True, type=_html, metavar="FILE", help="an .html file")
    make.add_argument(
        "--targets", metavar="DIR", help="what was edited, under the same names: asks what is kept"
    )
    make.add_argument(
        "--references",
        metavar="DIR",
        help="whose content was wanted, likewise: asks whose content is carried over",
    )
    make.add_argument("--content", metavar="WORDS", help='what that is, such as "glasses"')
    make.add_argument(
        "--count", type=positive_int, default=20, metavar="N", help="pictures asked (default: 20)"
    )
    make.add_argument("--seed", type=seed_number, default=0, metavar="N", help="default: 0")


def _add_tally(steps):
    tally = steps.add_parser("tally", help="count answers: shares and confidence intervals")
    tally.set_defaults(run=run_tally)
    tally.add_argument("answers", nargs="+", metavar="FILE", help="what the page has saved")
    tally.add_argument("--output", metavar="FILE", help="also write them here, a .json file")


def _html(text):
    if not text.lower().endswith(".html"):
        raise argparse.ArgumentTypeError(f"must end in .html. Received: {text}")
    return text


def run_make(arguments):
    from mbu_tf.evaluation.study.page import make_study

    asked = make_study(
        arguments.a,
        arguments.b,
        arguments.output,
        arguments.targets,
        arguments.references,
        arguments.content,
        arguments.count,
        arguments.seed,
    )
    print(f"{arguments.output}: {asked} questions")


def run_tally(arguments):
    from mbu_tf.evaluation.study.tally import tally_study
    from mbu_tf.system.files import check_outputs, write_json

    check_outputs([arguments.output], arguments.answers)
    found = tally_study(arguments.answers)
    first, second = found["systems"]
    print(f"{found['participants']} participants; {first} preferred to {second}:")
    for text, each in found["questions"].items():
        interval = f"{each['low']:.0%} to {each['high']:.0%}"
        print(f"  {each['preferred']:4.0%} ({interval}, n {each['n']})  {text}")
    print(f"The left side was chosen in {found['left']:.0%} of the answers.")
    if arguments.output:
        write_json(arguments.output, found)
