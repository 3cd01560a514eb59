"""`mbu-tf convert`: checkpoints of the methods' published code, to and from `.keras`."""

import sys

from mbu_tf.cli.arguments import add_command, add_overwrite


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "convert",
        "read or write a checkpoint of the PyTorch code of MBU, CD or DIDD",
        run,
        [
            "mbu-tf convert out/checkpoint --output model.keras",
            "mbu-tf convert out/checkpoint --output model.keras --preset smile",
            "mbu-tf convert model.keras --output out/checkpoint",
        ],
    )
    parser.add_argument(
        "input", metavar="FILE", help="a checkpoint to be read, or a .keras file to become one"
    )
    parser.add_argument(
        "--output", required=True, metavar="FILE", help="a .keras file, or the checkpoint"
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help="whose loss weights training goes on with, as no checkpoint holds them (default: "
        "glasses for MBU, celeba for CD and DIDD)",
    )
    add_overwrite(parser)


def run(arguments):
    from mbu_tf.interop import load_published, save_published
    from mbu_tf.models.loading import load_model
    from mbu_tf.system.files import check_outputs

    to_keras, from_keras = (x.endswith(".keras") for x in (arguments.output, arguments.input))
    if to_keras == from_keras:
        raise ValueError(
            "One of the two files must be a .keras file, the other a PyTorch checkpoint. "
            f"Received: {arguments.input} and --output {arguments.output}"
        )
    check_outputs([arguments.output], [arguments.input], arguments.overwrite)
    if to_keras:
        load_published(arguments.input, preset=arguments.preset).save(arguments.output)
        return
    model = load_model(arguments.input)
    save_published(model, arguments.output)
    width = model.get_config()["width"]
    if width != 1:
        print(
            f"mbu-tf: written, but with width {width:g}; the published code as it stands builds "
            "and loads width 1 alone",
            file=sys.stderr,
        )
