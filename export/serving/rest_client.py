"""Transfer over TensorFlow Serving's REST interface; needs nothing but Python.

    python rest_client.py --target me.jpg --reference her.jpg --output me-with-hers.png
    python rest_client.py --target me.jpg --target-eyes 204,102,246,104 \\
        --reference her.jpg --reference-eyes 221,192,306,189 --output me-with-hers.png

Files go as base64 in JSON, to a signature ending in `_encoded`, and PNG files
come back so. A model of framed faces finds the largest face in each; where a phone's
or page's tracker knows the eyes, they go beside the files to `_eyes_encoded`.
"""

import argparse
import base64
import json
import sys
import urllib.error
import urllib.request

PNG = b"\x89PNG\r\n\x1a\n"


def predict(url, signature, files, eyes=None, timeout=30):
    """Call a signature ending in `_encoded` with one file's bytes for each input.

    Args:
        url: of the model, such as `http://localhost:8501/v1/models/glasses`; a
            version is chosen with `/versions/2` behind it.
        signature: `transfer_encoded`, `remove_encoded` or `segment_encoded`; with `eyes`
            `transfer_eyes_encoded` and so on.
        files: input name to the bytes of an image file.
        eyes: input name to x and y of the left eye and of the right one, left and right as
            the face is seen upright, in pixels of that image.
        timeout: seconds.

    Returns:
        Dict of output name to the bytes of a PNG file.

    Raises:
        RuntimeError: with the server's message, if it refuses the request; or if its answer
            is none of a signature's.
    """
    inputs = {name: [{"b64": base64.b64encode(x).decode()}] for name, x in files.items()}
    inputs |= {f"{name}_eyes": [list(x)] for name, x in (eyes or {}).items()}
    body = json.dumps({"signature_name": signature, "inputs": inputs}).encode()
    request = urllib.request.Request(
        f"{url}:predict", data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{error.code}: {error.read().decode(errors='replace')}") from error
    try:
        outputs = json.loads(answer)["outputs"].items()
        files = {
            name: base64.b64decode(values[0]["b64"], validate=True) for name, values in outputs
        }
        if not all(file.startswith(PNG) for file in files.values()):
            raise ValueError("other bytes")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RuntimeError(
            "The server's answer holds no PNG files in base64. Is a TensorFlow Serving model at "
            f"{url}? Received: {answer[:200]!r} ({error})"
        ) from error
    return files


def four_numbers(text):
    """Eyes as `LEFT_X,LEFT_Y,RIGHT_X,RIGHT_Y`."""
    numbers = [float(number) for number in text.split(",")]
    if len(numbers) != 4:
        raise ValueError(text)
    return numbers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default="http://localhost:8501/v1/models/glasses")
    parser.add_argument("--target", required=True, help="image to be edited")
    parser.add_argument("--reference", required=True, help="image that shows the content")
    parser.add_argument("--output", required=True, help="the result, a .png")
    for name in ("target", "reference"):
        parser.add_argument(
            f"--{name}-eyes",
            type=four_numbers,
            metavar="X,Y,X,Y",
            help="left and right eye in pixels, if known; else the largest face is found",
        )
    arguments = parser.parse_args()
    eyes = {"target": arguments.target_eyes, "reference": arguments.reference_eyes}
    told = None not in eyes.values()
    if not told and any(eyes.values()):
        parser.error("--target-eyes and --reference-eyes go together")
    signature = "transfer_eyes_encoded" if told else "transfer_encoded"
    try:
        files = {}
        for name in ("target", "reference"):
            with open(getattr(arguments, name), "rb") as file:
                files[name] = file.read()
        answer = predict(arguments.url, signature, files, eyes if told else None)
        if "image_bytes" not in answer:
            raise RuntimeError(f"The answer lacks image_bytes. Received: {', '.join(answer)}")
        with open(arguments.output, "wb") as file:
            file.write(answer["image_bytes"])
    except (RuntimeError, OSError, ValueError) as error:
        sys.exit(f"rest_client.py: {error}")


if __name__ == "__main__":
    main()
