"""`mbu-tf export`: a model as a file for servers, phones, browsers and other runtimes."""

from mbu_tf.cli.arguments import add_command, add_model, add_overwrite, positive_int
from mbu_tf.cli.quiet import quiet

FORMATS = ("saved_model", "tflite", "onnx")
# More images than calibration reads are not loaded.
REPRESENTATIVE_IMAGES = 200


def add_parser(subparsers):
    parser = add_command(
        subparsers,
        "export",
        "write a model for servers, phones, browsers and other runtimes",
        run,
        [
            "mbu-tf export model.keras --format saved_model --output serving/glasses",
            "mbu-tf export model.keras --format tflite --quantization float16 "
            "--detail-size 256 --output glasses.tflite",
            "mbu-tf export model.keras --format tflite --quantization int8 "
            "--representative photos --output glasses.tflite",
            "mbu-tf export model.keras --format onnx --output glasses",
        ],
    )
    add_model(parser)
    parser.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    parser.add_argument(
        "--output",
        required=True,
        metavar="PATH",
        help="saved_model: folder of all versions, a new one is added; tflite: the file; "
        "onnx: folder for one file per signature",
    )
    parser.add_argument(
        "--quantization",
        choices=["float16", "dynamic", "int8"],
        help="tflite: how numbers are stored (default: float32)",
    )
    parser.add_argument(
        "--representative",
        metavar="DIR",
        help="tflite int8: folder with trainA/ and trainB/ to measure value ranges on, or any "
        "source that `mbu-tf train --data` takes",
    )
    parser.add_argument(
        "--batch-size",
        type=positive_int,
        metavar="N",
        help="tflite: images per call, fixed in the file (default: 1)",
    )
    parser.add_argument(
        "--detail-size",
        type=positive_int,
        metavar="PX",
        help="also operations that are as sharp as images of PX pixels a side, such as "
        "transfer_detail: a power of two times the model's size (256 is quick, 512 sharper)",
    )
    parser.add_argument(
        "--no-warm-up",
        action="store_true",
        help="saved_model: without the requests that a server warms up with",
    )
    add_overwrite(parser)


def run(arguments):
    _check(arguments)
    from mbu_tf import exporting
    from mbu_tf.exporting.onnx import onnx_files
    from mbu_tf.models.loading import load_model
    from mbu_tf.system.files import check_outputs

    model = load_model(arguments.model)
    if arguments.format == "tflite":
        written = [arguments.output]
    elif arguments.format == "onnx":
        written = onnx_files(model, arguments.output, arguments.detail_size).values()
    else:
        written = []  # The next version's folder.
    check_outputs(written, [arguments.model], arguments.overwrite)
    images = _representative(arguments.representative, model)
    output, detail_size = arguments.output, arguments.detail_size
    with quiet():
        if arguments.format == "saved_model":
            warm_up = not arguments.no_warm_up
            version = exporting.export_saved_model(
                model, output, warm_up=warm_up, detail_size=detail_size
            )
            written = [version]
        elif arguments.format == "tflite":
            exporting.export_tflite(
                model,
                output,
                arguments.quantization,
                images,
                arguments.batch_size or 1,
                detail_size,
            )
            written = [output]
        else:
            written = exporting.export_onnx(model, output, detail_size).values()
    for path in written:
        print(path)


OPTIONS = {
    "quantization": "tflite",
    "representative": "tflite",
    "batch_size": "tflite",
    "no_warm_up": "saved_model",
}


def _check(arguments):
    """Say what does not go together before anything is loaded."""
    for option, wanted in OPTIONS.items():
        if getattr(arguments, option) and arguments.format != wanted:
            raise ValueError(
                f"--{option.replace('_', '-')} goes with --format {wanted} alone. "
                f"Received: --format {arguments.format}"
            )
    if (arguments.quantization == "int8") != (arguments.representative is not None):
        raise ValueError(
            "--quantization int8 needs --representative, images to measure value ranges on, and "
            "nothing else does."
        )


def _representative(source, model):
    if source is None:
        return None
    from mbu_tf.data.sources import framed_as, load_source

    source = source if ":" in source else f"folders:{source}"
    domains = load_source(source, "train", model.image_size, **framed_as(model.framing, source))
    return [x.take(range(min(len(x), REPRESENTATIVE_IMAGES))) for x in (domains.a, domains.b)]
