"""`mbu-tf evaluate`: the papers' tables and figures, of models and of anybody's pictures."""

import sys

from mbu_tf.cli.arguments import (
    add_command,
    add_data,
    add_source_options,
    positive_int,
    power_of_two,
    seed_number,
    source_options,
)


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "evaluate",
        "measure models side by side and write a report",
        run,
        [
            "mbu-tf evaluate run/model.keras --data avatars:glasses --output report",
            "mbu-tf evaluate mbu=run/model.keras cd=other/model.keras --data folders:photos "
            "--output report",
            "mbu-tf evaluate a/model.keras+b/model.keras didd/model.keras --data "
            "avatars:glasses_and_facial_hair --output report",
            "mbu-tf evaluate run/model.keras --images theirs --data celeba:CelebA:glasses "
            "--masks labelled/images labelled/masks --output report",
        ],
    )
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help=".keras files, or trained models that `mbu-tf presets` lists; NAME=FILE names one, "
        "FILE_A+FILE_B are two one-way models in sequence",
    )
    add_data(
        parser, "; held-out images are measured on, training images teach the attribute classifier"
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="folder for report.html and metrics.json; what it holds of an earlier run is kept",
    )
    parser.add_argument(
        "--images",
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders with another program's pictures and pairs.csv: result,target,reference",
    )
    parser.add_argument(
        "--masks",
        nargs=2,
        metavar=("IMAGES", "MASKS"),
        help="folders of images of B and of their true masks of the same names, white on black",
    )
    parser.add_argument(
        "--split",
        choices=["test", "validation", "train"],
        help="which images to measure on (default: test, else validation)",
    )
    parser.add_argument(
        "--limit",
        type=positive_int,
        default=1000,
        metavar="N",
        help="images of each domain at most (default: 1000)",
    )
    parser.add_argument(
        "--image-size",
        type=power_of_two,
        metavar="N",
        help="of --images without a model beside them (default: 128)",
    )
    add_source_options(parser)
    parser.add_argument(
        "--features",
        default="inception",
        metavar="F",
        help="what KID and FID are measured in: inception (fetched once), a file of its weights, a "
        ".keras model, or classifier, which needs no download (default: inception)",
    )
    parser.add_argument(
        "--embedding",
        metavar="F",
        help="what similarity is measured in: face, or as --features but for classifier (default: "
        "as --features, else inception)",
    )
    parser.add_argument(
        "--classifier-steps",
        type=positive_int,
        metavar="N",
        help="training steps of the attribute classifier",
    )
    parser.add_argument(
        "--then",
        nargs=2,
        metavar=("MODEL", "SOURCE"),
        help="also show a second part, of this model and data, added after the first",
    )
    parser.add_argument(
        "--save-images",
        action="store_true",
        help="also write every transfer to DIR/images, for mbu-tf study and other programs",
    )
    parser.add_argument("--seed", type=seed_number, default=0, metavar="N", help="default: 0")


def run(arguments):
    import functools
    import pathlib

    from mbu_tf.data.sources import framed_as
    from mbu_tf.evaluation.parts import Parts
    from mbu_tf.evaluation.report.judges import CLASSIFIER_STEPS, Judges
    from mbu_tf.evaluation.report.material import Material
    from mbu_tf.evaluation.report.runner import evaluate
    from mbu_tf.evaluation.report.showcase import Sequence
    from mbu_tf.evaluation.report.systems import open_systems

    if not arguments.models and not arguments.images:
        raise ValueError("Nothing is to be measured: name a MODEL, or pictures with --images.")
    systems = open_systems(arguments.models, arguments.images, arguments.image_size)
    material = Material(
        arguments.data,
        systems[0].image_size,
        arguments.split,
        arguments.limit,
        arguments.masks,
        **framed_as(systems[0].framing, arguments.data, source_options(arguments)),
    )
    output = pathlib.Path(arguments.output)
    parts = Parts(output / "parts")
    judges = Judges(
        material,
        parts,
        arguments.features,
        arguments.embedding,
        arguments.classifier_steps or CLASSIFIER_STEPS,
        arguments.seed,
    )
    evaluate(
        systems,
        material,
        judges,
        parts,
        output,
        report=functools.partial(print, end="", file=sys.stderr, flush=True),
        sequence=Sequence(*arguments.then, material) if arguments.then else None,
        images=arguments.save_images,
    )
    print(output / "report.html")
