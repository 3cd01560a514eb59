"""`mbu-tf train`: a model from two image sets."""

import sys

from mbu_tf.cli.arguments import (
    add_command,
    add_data,
    add_source_options,
    add_training_options,
    positive_int,
    source_options,
    tell_counts,
)


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "train",
        "learn the difference between two image sets",
        run,
        [
            "mbu-tf train --data folders:mugs --output run",
            "mbu-tf train --preset avatars_facial_hair --data avatars:facial_hair --output run",
            "mbu-tf train --preset glasses --data celeba:CelebA:glasses --output run "
            "--image-size 64",
            "mbu-tf train --method masked_didd --preset avatars --data "
            "avatars:glasses_and_facial_hair --output run",
            "mbu-tf train --preset avatars --data avatars:glasses --output run --resume",
            "mbu-tf train --preset avatars --data avatars:hat --output hats --from run/model.keras",
            "mbu-tf train --from faces_glasses --same-part --data folders:mine --output mine",
        ],
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help="recipe, e.g. avatars, faces, glasses; `mbu-tf presets` lists them (default: that of "
        "--from, where it is a preset; else auto, for any data, which method mbu has)",
    )
    parser.add_argument(
        "--method",
        choices=["mbu", "cd", "didd", "masked_didd", "fader"],
        default="mbu",
        help="mbu, cd: B has a part of its own (with and without masks); didd, masked_didd: A has "
        "one too; fader: whole pictures, without a reference (default: mbu)",
    )
    add_data(parser)
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="folder for model, metrics and pictures"
    )
    add_training_options(parser)
    parser.add_argument(
        "--from",
        dest="base",
        metavar="MODEL",
        help="a trained model of the method, of any part, or a preset that comes with weights, to "
        "start from: its architecture, and of its weights those that know images in general",
    )
    parser.add_argument(
        "--same-part",
        action="store_true",
        help="with --from: the part is that model's own, such as other glasses; all its weights "
        "are taken over",
    )
    add_source_options(parser)
    parser.add_argument(
        "--checkpoint-every",
        type=positive_int,
        metavar="N",
        help="steps after which the whole state is kept in DIR/backup (default: 500)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on exactly where the run in DIR was interrupted, given the other options again; "
        "begins where there is none and leaves a finished one as it is",
    )
    parser.add_argument(
        "--precision",
        choices=["float32", "mixed_bfloat16", "mixed_float16"],
        default="float32",
        help="what the networks compute in (default: float32)",
    )


def run(arguments):
    import keras

    from mbu_tf.data.sources import framed_as, load_source
    from mbu_tf.models.loading import load_model
    from mbu_tf.models.methods import METHODS
    from mbu_tf.runs.folder import run_state
    from mbu_tf.runs.training import train_preset

    method = METHODS[arguments.method]
    presets = method.presets
    preset = arguments.preset or (arguments.base if arguments.base in presets else "auto")
    if preset not in presets:
        raise ValueError(
            f"Presets of --method {arguments.method} are {sorted(presets)}; only mbu, whose preset "
            f"auto is for any data, needs none named. Received: --preset {arguments.preset}"
        )
    keras.config.set_dtype_policy(arguments.precision)
    if arguments.same_part and not arguments.base:
        raise ValueError("--same-part goes with --from, whose part it is; name a model there.")
    base = load_model(arguments.base) if arguments.base else None
    recipe = presets[preset]
    image_size = arguments.image_size or method.architecture(recipe, base)["image_size"]
    # Another part may lie elsewhere in a face.
    own = None if arguments.same_part else recipe["training"].get("framing")
    framing = own or (base.framing if base else None)
    options = source_options(arguments)
    if framing:
        options = framed_as(framing, arguments.data, options)
    images = load_source(arguments.data, "train", image_size, **options)
    tell_counts(images)
    state = run_state(arguments.output)
    if arguments.resume and state == "new":
        print(f"mbu-tf: {arguments.output} holds no run yet; training begins", file=sys.stderr)
    train_preset(
        preset,
        images,
        arguments.output,
        held_out=held_out(arguments.data, image_size, options),
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        method=method,
        resume=arguments.resume,
        **({"base": base, "same_part": arguments.same_part} if base else {}),
        **({"width": arguments.width} if arguments.width else {}),
        **({"checkpoint_every": arguments.checkpoint_every} if arguments.checkpoint_every else {}),
    )
    if state == "finished":
        print(f"mbu-tf: the run in {arguments.output} is finished already", file=sys.stderr)


def held_out(data, image_size, options):
    """The source's test split, else its validation split, else nothing."""
    from mbu_tf.data.sources import load_held_out

    try:
        return load_held_out(data, image_size, **options)[1]
    except (FileNotFoundError, ValueError) as error:
        print(f"mbu-tf: no figures of unseen images, none are held out: {error}", file=sys.stderr)
        return None
