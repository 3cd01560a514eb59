"""`mbu-tf train`: a model from two image sets; also what `mbu-tf demo` runs."""

import sys

from mbu_tf.cli.arguments import (
    add_command,
    positive_int,
    positive_number,
    power_of_two,
    seed_number,
    source,
)

EPOCHS = 10
PICTURES = 6


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "train",
        "learn the difference between two image sets",
        run,
        [
            "mbu-tf train --preset avatars --data avatars:facial_hair --output run",
            "mbu-tf train --preset glasses --data celeba:CelebA:glasses --output run "
            "--image-size 64",
            "mbu-tf train --preset glasses --data folders:mugs --output run --steps 20000",
        ],
    )
    parser.add_argument(
        "--preset", required=True, metavar="NAME", help="recipe, e.g. avatars, glasses, smile"
    )
    parser.add_argument(
        "--data",
        required=True,
        type=source,
        metavar="SOURCE",
        help="avatars:TASK, folders:PATH (with trainA/ and trainB/) or celeba:PATH:TASK",
    )
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="folder for model, metrics and pictures"
    )
    parser.add_argument(
        "--image-size",
        type=power_of_two,
        metavar="N",
        help="a power of two of at least 8 (default: the preset's)",
    )
    parser.add_argument(
        "--steps", type=positive_int, metavar="N", help="training steps (default: the preset's)"
    )
    parser.add_argument(
        "--batch-size", type=positive_int, metavar="N", help="images per domain and step"
    )
    parser.add_argument(
        "--width",
        type=positive_number,
        metavar="W",
        help="relative width of the networks, e.g. 0.5",
    )
    parser.add_argument("--seed", type=seed_number, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--precision",
        choices=["float32", "mixed_bfloat16", "mixed_float16"],
        default="float32",
        help="what the networks compute in (default: float32)",
    )


def run(arguments):
    import keras

    from mbu_tf.data.sources import load_source
    from mbu_tf.models.content_transfer import MaskedContentTransfer

    presets = MaskedContentTransfer.presets
    if arguments.preset not in presets:
        raise ValueError(f"Presets are {sorted(presets)}. Received: --preset {arguments.preset}")
    keras.config.set_dtype_policy(arguments.precision)
    recipe = presets[arguments.preset]
    image_size = arguments.image_size or recipe["architecture"]["image_size"]
    train_model(
        arguments.preset,
        load_source(arguments.data, "train", image_size),
        arguments.output,
        image_size=image_size,
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        width=arguments.width,
        seed=arguments.seed,
        held_out=_held_out(arguments.data, image_size),
    )


def _held_out(data, image_size):
    """The source's test split, else its validation split, else nothing."""
    from mbu_tf.data.sources import load_source

    for split in ("test", "validation"):
        try:
            return load_source(data, split, image_size)
        except (FileNotFoundError, ValueError) as error:
            reason = error
    print(f"mbu-tf: no figures of unseen images, none are held out: {reason}", file=sys.stderr)
    return None


def train_model(
    preset, domains, output, image_size, steps, batch_size, width, seed, held_out, epochs=EPOCHS
):
    """Train a preset and write `model.keras`, `metrics.json` and pictures to `output`.

    Args:
        preset: name of the recipe.
        domains: `TwoDomains` to train on.
        output: folder, made if missing.
        image_size: height and width in pixels.
        steps, batch_size, width: in place of the recipe's unless `None`.
        seed: of the weights and of the order of the images.
        held_out: `TwoDomains` for the pictures and the final figures, or `None`
            to take those from `domains`.
        epochs: parts that the steps are shown in, each ending with a picture.

    Returns:
        `(model, metrics)`: the trained model and what `metrics.json` holds.
    """
    import time

    import keras
    import numpy as np

    from mbu_tf.callbacks import TrainingAdvice, TransferPictures
    from mbu_tf.data.domains import to_model_range
    from mbu_tf.evaluation.ground_truth import evaluate_against_truth
    from mbu_tf.files import make_folder, write_json
    from mbu_tf.models.content_transfer import MaskedContentTransfer

    output = make_folder(output)
    recipe = MaskedContentTransfer.presets[preset]
    steps = steps or recipe["training"]["steps"]
    batch_size = batch_size or recipe["training"]["batch_size"]
    keras.utils.set_random_seed(seed)
    overrides = {"image_size": image_size} | ({"width": width} if width else {})
    model = MaskedContentTransfer.from_preset(preset, steps=steps, **overrides)

    shown = held_out or domains
    some = np.arange(PICTURES)
    epochs = min(epochs, steps)
    per_epoch = -(-steps // epochs)
    epochs = -(-steps // per_epoch)
    started = time.monotonic()
    history = model.fit(
        domains.batches(batch_size, seed=seed, flip=recipe["training"]["flip"]),
        shuffle=False,  # They are already.
        steps_per_epoch=per_epoch,
        epochs=epochs,
        callbacks=[
            TransferPictures(
                output / "pictures",
                to_model_range(shown.a.take(some % len(shown.a))),
                to_model_range(shown.b.take(some % len(shown.b))),
            ),
            TrainingAdvice(),
            keras.callbacks.ModelCheckpoint(output / "model.keras"),
        ],
    ).history
    seconds = time.monotonic() - started
    count = min(len(domains.b), 512)
    model.find_mask_threshold(to_model_range(domains.b.take(np.arange(count))))
    model.save(output / "model.keras")

    metrics = {
        "preset": preset,
        "image_size": image_size,
        "steps": per_epoch * epochs,
        "batch_size": batch_size,
        "seed": seed,
        "training_seconds": round(seconds, 1),
        "mask_threshold": model.mask_threshold,
        "training": {name: values[-1] for name, values in history.items()},
    }
    if held_out is not None:
        losses = model.evaluate(held_out.pairs(batch_size), return_dict=True, verbose=0)
        metrics["held_out"] = {name: float(value) for name, value in losses.items()}
        if held_out.b_mask is not None:
            metrics["truth"] = evaluate_against_truth(model, held_out)
    write_json(output / "metrics.json", metrics)
    return model, metrics
