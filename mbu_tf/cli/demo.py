"""`mbu-tf demo`: two portraits by a trained model, then the main job from nothing, on avatars."""

from mbu_tf.cli.arguments import add_command, positive_int, seed_number

# One reference of each kind, then the targets.
KINDS = {"glasses2": "round", "glasses3": "square", "glasses4": "cat-eye", "sunglasses": "sun"}
TARGETS = 6
# What `mbu-tf train` does of itself, for as long as this task takes.
PRESET, STEPS = "auto", 1800
MODEL, REFERENCE, TARGET = "faces_glasses", "grace_hopper.jpg", "eileen_collins.jpg"
# Of each face in the row, in pixels.
SIDE = 384


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "demo",
        "edit two portraits, then learn glasses from avatars and draw what was learned",
        run,
        ["mbu-tf demo --output demo"],
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="folder for faces.png, demo.png, metrics and model",
    )
    parser.add_argument(
        "--steps", type=positive_int, default=STEPS, metavar="N", help=f"default: {STEPS}"
    )
    parser.add_argument("--seed", type=seed_number, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--faces", type=positive_int, metavar="N", help="training faces of each domain"
    )


def run(arguments):
    import numpy as np

    from mbu_tf.data.avatars import SPLITS, load_avatars
    from mbu_tf.data.domains import to_model_range
    from mbu_tf.data.images import write_png
    from mbu_tf.evaluation.pictures import transfer_grid
    from mbu_tf.runs.training import train_preset
    from mbu_tf.system.files import make_folder

    folder = make_folder(arguments.output)
    write_png(folder / "faces.png", faces_picture())
    print(
        "One's glasses on the other, and off: the trained model faces_glasses on the reference, "
        f"the target; the result, the reference without, its mask: {folder / 'faces.png'}",
        flush=True,
    )
    counts = {**SPLITS, "train": arguments.faces} if arguments.faces else None
    test = load_avatars("glasses", "test", counts=counts)
    model, metrics = train_preset(
        PRESET,
        load_avatars("glasses", "train", counts=counts),
        arguments.output,
        held_out=test,
        steps=arguments.steps,
        seed=arguments.seed,
        resume=True,  # Of an interrupted demo the rest; of a finished one the picture anew.
    )
    references = [test.b_variants.index(kind) for kind in KINDS]
    picture = transfer_grid(
        model,
        to_model_range(test.a.take(np.arange(TARGETS))),
        to_model_range(test.b.take(references)),
    )
    write_png(folder / "demo.png", picture)
    print(f"\nOn {len(test.b)} test faces that training never saw:")
    for name, text in FIGURES.items():
        print(f"  {metrics['truth'][name]:8.4f}  {text}")
    print(f"Pictures: {folder / 'demo.png'}")


def faces_picture():
    """Two portraits by the trained model: reference, target, transfer, removal, mask, in a row.

    Returns:
        uint8 `(SIDE, 5 * SIDE, 3)`.
    """
    from mbu_tf.data.images import read_image
    from mbu_tf.evaluation.pictures import mask_picture, portraits, row_of_squares
    from mbu_tf.models.loading import load_editor
    from mbu_tf.photos import remove_photo, segment_photo, transfer_photo
    from mbu_tf.pretrained import SAMPLES

    model = load_editor(MODEL)
    reference, target = (read_image(SAMPLES / name) for name in (REFERENCE, TARGET))
    hers, other = portraits(reference, target)
    shown = [
        (hers, reference),
        (other, target),
        (other, transfer_photo(model, target, reference).image),
        (hers, remove_photo(model, reference).image),
        (hers, mask_picture(segment_photo(model, reference)[..., None])),
    ]
    return row_of_squares(shown, SIDE)


FIGURES = {
    "segment_iou": "segmentation: intersection over union with the exact mask (1 is perfect)",
    "remove_error": "removal: mean absolute error inside the glasses, of images in [-1, 1]",
    "remove_error_unedited": "   the same had nothing been done",
    "remove_change_outside": "   largest change of any pixel outside the mask used",
    "transfer_error": "transfer: mean absolute error inside the glasses",
    "transfer_error_unedited": "   the same had nothing been done",
    "transfer_follows_reference": "   share of pairs nearer to their reference's glasses than to"
    " another's",
}
