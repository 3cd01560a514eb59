"""`mbu-tf ablate`: variations of a recipe, side by side."""

from mbu_tf.cli.arguments import (
    add_command,
    add_data,
    add_source_options,
    add_training_options,
    positive_int,
    source_options,
)


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "ablate",
        "train variations of a recipe and show what each changes, in one table and figure",
        run,
        [
            "mbu-tf ablate --rows table7 --preset avatars --data avatars:glasses --width 0.25 "
            "--steps 1000 --output ablation",
            "mbu-tf ablate --rows lambda_1 lambda_4 threshold --preset avatars --data "
            "avatars:glasses --output ablation",
            "mbu-tf ablate --rows mine.json --preset photos --data folders:photos --output mine",
            "",
            'mine.json: {"as it is": {}, "no cycle": {"loss_weights": {"cycle_separate": 0}},',
            '  "narrow": {"architecture": {"width": 0.25}}, "strict": {"mask_threshold": 0.5}}',
        ],
    )
    parser.add_argument(
        "--rows",
        required=True,
        nargs="+",
        metavar="LIST",
        help="table7, lambda_1, lambda_4, threshold (the paper's table 7 and figures 39, 38 and "
        "37), or JSON files of {name: changes}; several are put together",
    )
    parser.add_argument(
        "--preset", required=True, metavar="NAME", help="the recipe that is varied, e.g. avatars"
    )
    add_data(parser)
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="folder for runs/, ablation.md, ablation.json and ablation.png; what is trained "
        "there already is not trained again",
    )
    add_training_options(parser)
    add_source_options(parser)
    parser.add_argument(
        "--classifier-steps",
        type=positive_int,
        default=1000,
        metavar="N",
        help="training steps of the classifier that judges transfers (default: 1000)",
    )


def run(arguments):
    from mbu_tf.cli.train import held_out
    from mbu_tf.data.sources import load_source
    from mbu_tf.models.content_transfer import MaskedContentTransfer
    from mbu_tf.models.recipes import varied
    from mbu_tf.runs.ablation import ablate

    given = {"image_size": arguments.image_size, "width": arguments.width}
    recipe = varied(
        MaskedContentTransfer.recipe(arguments.preset),
        {"architecture": {name: value for name, value in given.items() if value}},
    )
    image_size = recipe["architecture"]["image_size"]
    variations = read_variations(arguments.rows, recipe)
    options = source_options(arguments)
    ablate(
        variations,
        recipe,
        load_source(arguments.data, "train", image_size, **options),
        arguments.output,
        held_out=held_out(arguments.data, image_size, options),
        data=" ".join([arguments.data, *map(str, options.values())]),
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        classifier_steps=arguments.classifier_steps,
    )
    print(f"Table and figure: {arguments.output}/ablation.md, ablation.json, ablation.png")


def read_variations(names, recipe):
    """The rows of all lists, built-in ones by name and JSON files by path, in their order.

    Raises:
        ValueError: on an unknown list, a file that holds none, or a name that two
            different rows have.
        OSError: if a file cannot be read.
    """
    from mbu_tf.models.variations import LISTS

    variations = {}
    for name in names:
        rows = LISTS[name](recipe) if name in LISTS else _read_file(name, LISTS)
        for row, changes in rows.items():
            if variations.setdefault(row, changes) != changes:
                raise ValueError(f"Two different rows have one name. Received: {row!r}")
    return variations


def _read_file(path, lists):
    from mbu_tf.system.reading import read_json

    if not path.endswith(".json"):
        raise ValueError(f"--rows takes {', '.join(lists)} or .json files. Received: {path}")
    schema = {"type": "object", "additionalProperties": {"type": "object"}}
    return read_json(path, schema, "rows", 'It must hold {"name": {changes}, …}.')
