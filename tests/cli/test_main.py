"""What every command shares: help, argument errors, and errors while running."""

import json
import subprocess
import sys

import pytest

from mbu_tf import __version__
from mbu_tf.cli import transfer
from mbu_tf.system.failures import OutOfMemory

TRANSFER = ("transfer", "m.keras", "--target", "a.png", "--reference", "b.png")
TRAIN = ("train", "--preset", "glasses", "--data", "avatars:glasses", "--output", "run")
EXPORT = ("export", "m.keras", "--output", "out")
HELP = [
    ["--help"],
    *(
        [name, "--help"]
        for name in ("demo", "train", "transfer", "interpolate", "convert", "export")
    ),
]
ERRORS = [
    ((), "COMMAND"),
    (("tranfser",), "invalid choice: 'tranfser'"),
    (("presets", "faces"), "unrecognized arguments: faces"),
    (TRANSFER, "required: --output"),
    ((*TRANSFER,), "arguments are required: --output"),
    ((*TRANSFER, "--output", "z.png", "--mask", "m"), "--mask: must end in .png. Received: m"),
    (("remove", "m.keras", "--output", "out"), "required: IMAGE"),
    (("remove", "m.keras", "a.png", "--output", "o", "--threshold", "1"), "between 0 and 1"),
    (("segment", "m.keras", "a.png", "--output", "o", "--threshold", "nan"), "between 0 and 1"),
    (
        ("segment", "m.keras", "a.png", "--output", "o", "--threshold", "0.5", "--soft"),
        "not allowed with",
    ),
    (
        ("interpolate", *TRANSFER[1:], "c.png", "--output", "z.png", "--steps", "1"),
        "--steps: must be at least 2. Received: 1",
    ),
    (("interpolate", *TRANSFER[1:], "--output", "z.png"), "--reference: expected 2 arguments"),
    ((*TRAIN, "--data", "celebs:here"), "A data source must be one of"),
    ((*TRAIN, "--data", "avatars:scarf"), "scarf"),
    ((*TRAIN, "--steps", "0"), "--steps: must be a positive integer. Received: 0"),
    ((*TRAIN, "--batch-size", "x"), "--batch-size: must be a positive integer. Received: x"),
    ((*TRAIN, "--image-size", "100"), "must be a power of two of at least 8, such as"),
    ((*TRAIN, "--image-size", "4"), "must be a power of two of at least 8, such as"),
    ((*TRAIN, "--width", "0"), "--width: must be a positive number. Received: 0"),
    ((*TRAIN, "--width", "inf"), "--width: must be a positive number. Received: inf"),
    ((*TRAIN, "--seed", "-1"), "--seed: must be an integer below 2**32. Received: -1"),
    ((*TRAIN, "--seed", str(2**32)), "--seed: must be an integer below 2**32."),
    ((*TRAIN, "--crop", "1,2,3"), "--crop: must be center, whole or LEFT,TOP,RIGHT,BOTTOM."),
    ((*TRAIN, "--precision", "float8"), "invalid choice: 'float8'"),
    (("demo", "--output", "demo", "--faces", "none"), "--faces: must be a positive integer."),
    ((*EXPORT, "--format", "h5"), "--format: invalid choice: 'h5'"),
    (EXPORT, "required: --format"),
    ((*EXPORT, "--format", "tflite", "--batch-size", "0"), "--batch-size: must be a positive"),
]

SCRIPT = """
import json, sys
from mbu_tf.cli.main import main

statuses = []
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments)
    except SystemExit as stop:
        statuses.append(stop.code)
heavy = {"tensorflow", "tensorflow_datasets", "keras"} & set(sys.modules)
print(json.dumps([statuses, sorted(heavy)]))
"""


def test_help_and_argument_errors_import_nothing_heavy():
    commands = [*HELP, ["--version"], *(list(arguments) for arguments, _ in ERRORS)]
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(commands)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    statuses, heavy = json.loads(result.stdout.splitlines()[-1])
    assert statuses == [0] * (len(HELP) + 1) + [2] * len(ERRORS)
    assert heavy == []


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_argument_errors_say_what_is_wrong(mbu_tf, arguments, message):
    status, error = mbu_tf(*arguments)
    assert status == 2
    assert message in " ".join(error.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", HELP)
def test_help_shows_examples(mbu_tf, capsys, arguments):
    with pytest.raises(SystemExit):
        from mbu_tf.cli.main import main

        main(arguments)
    assert "examples:\n  mbu-tf " in capsys.readouterr().out


def test_the_module_runs():
    result = subprocess.run(
        [sys.executable, "-m", "mbu_tf.cli.main", "--version"], capture_output=True, text=True
    )
    assert (result.returncode, result.stdout) == (0, f"mbu_tf {__version__}\n")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ValueError("wrong value"), 1, "mbu-tf: wrong value\n"),
        (OSError(28, "Cannot write", "z.png"), 1, "mbu-tf: [Errno 28] Cannot write: 'z.png'\n"),
        (ImportError("install it"), 1, "mbu-tf: install it\n"),
        (OutOfMemory("smaller batches"), 1, "mbu-tf: smaller batches\n"),
        (FloatingPointError("diverged"), 1, "mbu-tf: diverged\n"),
        (KeyboardInterrupt(), 130, "mbu-tf: interrupted\n"),
    ],
)
def test_errors_that_a_user_can_mend_take_one_line(mbu_tf, monkeypatch, error, status, message):
    def fail(arguments):
        raise error

    monkeypatch.setattr(transfer, "run", fail)
    assert mbu_tf(*TRANSFER, "--output", "z.png") == (status, message)


def test_errors_of_tensorflow_take_one_line(mbu_tf, monkeypatch):
    import tensorflow as tf

    from mbu_tf.system.interrupts import Interrupted

    def fail(arguments):
        raise error

    monkeypatch.setattr(transfer, "run", fail)
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nmore")
    status, told = mbu_tf(*TRANSFER, "--output", "z.png")
    assert status == 1 and "--batch-size" in told and told.count("\n") == 1
    error = tf.errors.InternalError(None, None, "no device\nmore")
    told = "mbu-tf: TensorFlow failed. InternalError: no device\n"
    assert mbu_tf(*TRANSFER, "--output", "z.png") == (1, told)
    error = Interrupted("interrupted after step 3", 15)
    assert mbu_tf(*TRANSFER, "--output", "z.png") == (143, "mbu-tf: interrupted after step 3\n")


def test_our_own_mistakes_are_not_hidden(mbu_tf, monkeypatch):
    def fail(arguments):
        raise KeyError("a bug")

    monkeypatch.setattr(transfer, "run", fail)
    with pytest.raises(KeyError):
        mbu_tf(*TRANSFER, "--output", "z.png")


@pytest.mark.slow
def test_a_closed_stderr_neither_ends_the_work_nor_gets_into_a_file(model_file, tmp_path):
    (tmp_path / "missing.png").touch()
    command = [
        *(sys.executable, "-m", "mbu_tf.cli.main", "remove", model_file),
        *(tmp_path / "missing.png", "--output", tmp_path / "out"),
    ]
    shell = " ".join(f"'{part}'" for part in command)
    result = subprocess.run(["bash", "-c", f"{shell} 2>&- <&-"], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "")
    assert list((tmp_path / "out").iterdir()) == []
