"""`mbu-tf refine`: a trained model's edits of photos made sharper, by its own transfers."""

from mbu_tf.cli.arguments import (
    add_command,
    add_data,
    add_model,
    add_source_options,
    positive_int,
    seed_number,
    source_options,
    tell_counts,
)


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "refine",
        "teach a trained model to see photos at twice its size",
        run,
        [
            "mbu-tf refine run/model.keras --data folders:mugs --output refined",
            "mbu-tf refine demo/model.keras --data avatars:glasses --output refined --resume",
        ],
    )
    add_model(parser)
    add_data(parser, ", the model's training data")
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="folder for the model and metrics"
    )
    parser.add_argument(
        "--steps", type=positive_int, metavar="N", help="training steps (default: 3000)"
    )
    parser.add_argument(
        "--batch-size", type=positive_int, metavar="N", help="images per domain and step"
    )
    parser.add_argument("--seed", type=seed_number, default=0, metavar="N", help="default: 0")
    add_source_options(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on exactly where the run in DIR was interrupted, given the other options again",
    )


def run(arguments):
    from mbu_tf.data.sources import framed_as, load_source
    from mbu_tf.models.loading import load_model
    from mbu_tf.runs.refining import train_refiner

    model = load_model(arguments.model)
    options = framed_as(model.framing, arguments.data, source_options(arguments))
    images = load_source(arguments.data, "train", 2 * model.image_size, **options)
    tell_counts(images)
    chosen = {"steps": arguments.steps, "batch_size": arguments.batch_size}
    train_refiner(
        model,
        images,
        arguments.output,
        seed=arguments.seed,
        resume=arguments.resume,
        **{name: value for name, value in chosen.items() if value},
    )
