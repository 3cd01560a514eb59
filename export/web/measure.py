"""Times the page in headless Chromium beside LiteRT in Python: python export/web/measure.py

Needs what the tests need (README.md). Prints load time, latency of each
signature with 1 and 2 threads, and frames per second of a 640 x 480 camera:
medians over the calls of a round, and of the rounds the one least disturbed.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "mobile")]

import chromium  # noqa: E402
import edit_photo  # noqa: E402

SHIPPED = FOLDER / "models" / "avatars-glasses.tflite"
IMAGES = {"transfer": ("target", "reference"), "remove": ("image",), "segment": ("image",)}

LOADED = """
async () => {
  const { state } = await import("./js/page.js");
  while (!state.last) await new Promise(requestAnimationFrame);
}
"""
LATENCIES = """
async ([signature, inputs, repeats]) => {
  const { state } = await import("./js/page.js");
  const image = () => Float32Array.from({ length: state.model.size ** 2 * 3 }, Math.random);
  const images = Object.fromEntries(inputs.map((name) => [name, image()]));
  const times = [];
  for (let i = 0; i < repeats + 5; i++) {
    const start = performance.now();
    await state.model.edit(signature, state.model.size, images);
    times.push(performance.now() - start);
  }
  return times.slice(5);
}
"""
RATE = """
async (seconds) => {
  const { state } = await import("./js/page.js");
  let frames = 0, latest = state.last, model = 0;
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    await new Promise(requestAnimationFrame);
    if (state.last !== latest) { frames++; latest = state.last; model += latest.modelTime; }
  }
  return [frames / seconds, model / frames];
}
"""


def in_page(playwright, address, threads, film, repeats):
    with chromium.launched(playwright, film) as browser:
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(f"{address}?threads={threads}")
        page.evaluate(LOADED)
        figures = {"load": time.perf_counter() - start}
        for signature, inputs in IMAGES.items():
            times = page.evaluate(LATENCIES, [signature, inputs, repeats])
            figures[signature] = statistics.median(times)
        page.click("#camera")
        page.wait_for_function("document.getElementById('figures').innerText.includes('frames/s')")
        figures["rate"], figures["model in the loop"] = page.evaluate(RATE, 8)
        return figures


def in_python(path, threads, repeats):
    start = time.perf_counter()
    model = edit_photo.Model(path, threads)
    figures = {"load": time.perf_counter() - start}
    images = np.random.default_rng(0).random((2, 1, model.size, model.size, 3), np.float32)
    for signature, inputs in IMAGES.items():
        times = []
        for _ in range(repeats + 5):
            start = time.perf_counter()
            model.run(signature, **dict(zip(inputs, images, strict=False)))
            times.append(1000 * (time.perf_counter() - start))
        figures[signature] = statistics.median(times[5:])
    return figures


def best(rounds):
    """Of every figure the least disturbed round's; `rounds` is a list of dicts."""
    return {
        name: (max if name == "rate" else min)(figures[name] for figures in rounds)
        for name in rounds[0]
    }


def show(threads, page, python):
    print(f"threads={threads}: page ready in {page['load']:.2f} s, ", end="")
    print(f"Python's interpreter in {python['load']:.2f} s")
    for name in IMAGES:
        print(f"  {name}: page {page[name]:.1f} ms, Python {python[name]:.1f} ms, ", end="")
        print(f"ratio {page[name] / python[name]:.2f}")
    print(f"  camera 640 x 480: {page['rate']:.1f} frames/s, ", end="")
    print(f"model {page['model in the loop']:.1f} ms of each frame")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="page and Python in turn")
    parser.add_argument("--repeats", type=int, default=50)
    arguments = parser.parse_args()
    from PIL import Image
    from playwright.sync_api import sync_playwright

    face = Image.open(FOLDER / "faces" / "target-1.png").convert("RGB").resize((480, 480))
    frame = Image.new("RGB", (640, 480), "gray")
    frame.paste(face, (80, 0))
    pages, pythons = {1: [], 2: []}, {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = pathlib.Path(folder) / "film.mjpeg"
        chromium.write_mjpeg(film, np.array(frame))
        with chromium.serving() as address:
            for _ in range(arguments.rounds):
                for threads in (1, 2):
                    page = in_page(playwright, address, threads, film, arguments.repeats)
                    pages[threads].append(page)
                    pythons[threads].append(in_python(SHIPPED, threads, arguments.repeats))
    for threads in (1, 2):
        show(threads, best(pages[threads]), best(pythons[threads]))


if __name__ == "__main__":
    main()
