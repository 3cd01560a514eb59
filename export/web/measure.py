"""Times the page in headless Chromium beside LiteRT in Python: python export/web/measure.py

Needs what the tests need (README.md). Prints load time, latency of each signature with
1 and 2 threads, and frames per second of a 640 x 480 camera with the milliseconds of each
part: as the model paints, and with detail. `--model` and `--reference` name a model of
faces and a photo, whose times with a moving face before the camera are printed, too, and how
much of one core each frame takes.
Of the calls of a round the quickest tenth's slowest counts, as the others tell of what else
the machine does; of the rounds the one least disturbed.
"""

import argparse
import base64
import io
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "mobile")]

import chromium  # noqa: E402
import edit_photo  # noqa: E402
import film  # noqa: E402

SHIPPED = FOLDER / "models" / "avatars-glasses.tflite"
IMAGES = {"transfer": ("target", "reference"), "remove": ("image",), "segment": ("image",)}

LOADED = """
async () => {
  const { state } = await import("./js/page.js");
  while (!state.last) await new Promise(requestAnimationFrame);
}
"""
LATENCIES = """
async ([signature, repeats]) => {
  const { state } = await import("./js/page.js");
  const { model } = state;
  const image = () => Float32Array.from({ length: model.size ** 2 * 3 }, Math.random);
  const [picture, reference] = [image(), await model.prepare(image(), model.size)];
  const times = [];
  for (let i = 0; i < repeats + 5; i++) {
    const start = performance.now();
    await model.edit(signature, model.size, picture, reference);
    times.push(performance.now() - start);
  }
  return times.slice(5);
}
"""
RATE = """
async ([seconds, detail]) => {
  const { state } = await import("./js/page.js");
  const box = document.getElementById("detail");
  if (box.checked !== detail) box.click();
  const frame = () => new Promise(requestAnimationFrame);
  const side = () => (detail && state.model.detailSize) || state.model.size;
  for (let i = 0; i < 10; i++) {
    const before = state.last;
    while (state.last === before || state.last.side !== side()) await frame();
  }
  const start = performance.now();
  const seen = [];
  while (performance.now() < start + 1000 * seconds) {
    await frame();
    if (state.last !== seen.at(-1)) seen.push(state.last);
  }
  const figures = { rate: (1000 * (seen.length - 1)) / (performance.now() - start) };
  for (const part of Object.keys(seen[0].times)) {
    const times = seen.map(({ times }) => times[part]).sort((a, b) => a - b);
    figures[part] = times[Math.floor(times.length / 10)];
  }
  return figures;
}
"""
# Edits the frames of a film, one after another as if they were 1/30 s apart, ten times.
WORK = """
async ([files, detail]) => {
  const { state } = await import("./js/page.js");
  const { edit } = await import("./js/filter.js");
  const { readPicture } = await import("./js/camera.js");
  const box = document.getElementById("detail");
  if (box.checked !== detail) box.click();
  const side = (detail && state.model.detailSize) || state.model.size;
  while (state.prepared?.side !== side || state.last.side !== side || state.changed) {
    await new Promise(requestAnimationFrame);
  }
  const { source, model, prepared, squares } = state;
  state.source = null; // The page's own loop waits.
  const view = document.getElementById("view").getContext("2d");
  const frames = [];
  for (const file of files) {
    const blob = await (await fetch(`data:image/jpeg;base64,${file}`)).blob();
    frames.push(await readPicture(blob, "frame"));
  }
  squares.forget();
  let [now, missed] = [0, 0];
  window.work = async (count) => {
    for (let i = 0; i < count; i++) {
      const frame = frames[i % frames.length];
      const placements = await squares.of(model, frame, (now += 1 / 30));
      missed += placements.length !== 1;
      const made = await edit(model, "transfer", side, frame, placements, prepared.input);
      view.putImageData(new ImageData(made.picture.data, frame.width), 0, 0);
    }
    return missed;
  };
  window.done = () => (state.source = source);
  await window.work(frames.length);
}
"""
READY = """
async (kind) => {
  const { state } = await import("./js/page.js");
  const ready = () => state.model?.framing.kind === kind && state.last?.frame.width === 640;
  while (!ready() || !state.last.placements.length) await new Promise(requestAnimationFrame);
}
"""


def in_page(playwright, address, threads, shown, repeats):
    """The shipped model's figures."""
    with chromium.launched(playwright, shown) as browser:
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(f"{address}?model=avatars-glasses&threads={threads}")
        page.evaluate(LOADED)
        figures = {"load": time.perf_counter() - start}
        for signature in IMAGES:
            times = page.evaluate(LATENCIES, [signature, repeats])
            figures[signature] = tenth(times)
        page.click("#camera")
        page.evaluate(READY, "centre")
        return {**figures, **rates(page)}


def with_faces(playwright, address, shown, model, reference):
    """Processor time and frames per second of a model of faces, with one thread."""
    with chromium.launched(playwright, shown) as browser:
        page = browser.new_page()
        page.goto(f"{address}?model=avatars-glasses")
        page.evaluate(LOADED)
        page.set_input_files("#model-file", model)
        page.set_input_files("#reference-file", reference)
        page.click("#camera")
        page.evaluate(READY, "face")
        there = moving_frames()[:30]
        return {**work(page, there + there[::-1]), **rates(page)}


def work(page, frames, rounds=4):
    """Processor milliseconds of the page's own process for each frame, by name.

    Tells of the page alone whatever else the machine does, where a rate does not: so many
    milliseconds of one core finding, framing, editing and showing a frame take.
    """
    files = [base64.b64encode(jpeg(frame)).decode() for frame in frames]
    figures = {}
    for detail in (False, True):
        page.evaluate(WORK, [files, detail])
        times = []
        for _ in range(rounds):
            start = processor_seconds()
            missed = page.evaluate("(count) => window.work(count)", len(files))
            times.append(1000 * (processor_seconds() - start) / len(files))
        page.evaluate("window.done()")
        name = "with detail" if detail else "painted"
        figures |= {f"{name}: processor": min(times), f"{name}: missed": missed}
    return figures


def processor_seconds():
    """Processor time that Chromium's renderers, started by this process, have taken (Linux)."""
    total = 0.0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            command = (stat.parent / "cmdline").read_bytes()
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # It has ended.
            continue
        if b"--type=renderer" in command and os.getpid() in parents(stat.parent.name):
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def parents(process):
    """The processes above one, itself included."""
    process, found = int(process), []
    while process > 0:
        found.append(process)
        try:
            stat = pathlib.Path(f"/proc/{process}/stat").read_text()
        except OSError:
            break
        process = int(stat.rpartition(")")[2].split()[1])
    return found


def jpeg(frame):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=95)
    return file.getvalue()


def rates(page):
    """Frames per second and each part's milliseconds by name, without and with detail."""
    kinds = {"painted": False}
    if not page.is_disabled("#detail"):
        kinds["with detail"] = True
    return {
        f"{kind}: {name}": value
        for kind, detail in kinds.items()
        for name, value in page.evaluate(RATE, [6, detail]).items()
    }


def in_python(path, threads, repeats):
    start = time.perf_counter()
    model = edit_photo.Model(path, threads, detail=False)
    figures = {"load": time.perf_counter() - start}
    images = np.random.default_rng(0).random((2, 1, model.size, model.size, 3), np.float32)
    for signature, inputs in IMAGES.items():
        times = []
        for _ in range(repeats + 5):
            start = time.perf_counter()
            model.run(signature, **dict(zip(inputs, images, strict=False)))
            times.append(1000 * (time.perf_counter() - start))
        figures[signature] = tenth(times[5:])
    return figures


def tenth(times):
    return sorted(times)[len(times) // 10]


def best(rounds):
    """Of every figure the least disturbed round's; `rounds` is a list of dicts."""
    return {
        name: (max if name.endswith("rate") else min)(figures[name] for figures in rounds)
        for name in rounds[0]
    }


def show(threads, page, python):
    print(f"threads={threads}: page ready in {page['load']:.2f} s, ", end="")
    print(f"Python's interpreter in {python['load']:.2f} s")
    for name in IMAGES:
        print(f"  {name}: page {page[name]:.1f} ms, Python {python[name]:.1f} ms, ", end="")
        print(f"ratio {page[name] / python[name]:.2f}")
    show_rates("centre square", page)


def show_rates(title, figures):
    for kind in ("painted", "with detail"):
        parts = {
            name.removeprefix(f"{kind}: "): value
            for name, value in figures.items()
            if name.startswith(kind)
        }
        if parts:
            if "processor" in parts:
                print(f"  {title}, {kind}: {parts.pop('processor'):.1f} ms of one core a frame, ")
                print(f"    {parts.pop('missed'):.0f} frames without the face")
            print(f"  {title}, {kind}: {parts.pop('rate'):.1f} frames/s; ", end="")
            print(", ".join(f"{name} {value:.1f} ms" for name, value in parts.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="page and Python in turn")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--model", metavar="TFLITE", help="a model of faces")
    parser.add_argument("--reference", metavar="IMAGE", help="a photo of a face, for it")
    arguments = parser.parse_args()
    from PIL import Image
    from playwright.sync_api import sync_playwright

    face = Image.open(FOLDER / "faces" / "target-1.png").convert("RGB").resize((480, 480))
    frame = Image.new("RGB", (640, 480), "gray")
    frame.paste(face, (80, 0))
    pages, pythons, faces = {1: [], 2: []}, {1: [], 2: []}, []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        still, moving = (pathlib.Path(folder) / f"{name}.mjpeg" for name in ("still", "moving"))
        chromium.write_mjpeg(still, np.array(frame))
        if arguments.model:
            chromium.write_mjpeg(moving, *moving_frames())
        with chromium.serving() as address:
            for _ in range(arguments.rounds):
                for threads in (1, 2):
                    page = in_page(playwright, address, threads, still, arguments.repeats)
                    pages[threads].append(page)
                    pythons[threads].append(in_python(SHIPPED, threads, arguments.repeats))
                if arguments.model:
                    given = (arguments.model, arguments.reference)
                    faces.append(with_faces(playwright, address, moving, *given))
    for threads in (1, 2):
        show(threads, best(pages[threads]), best(pythons[threads]))
    if faces:
        print("threads=1")
        show_rates("moving face", best(faces))


def moving_frames():
    from skimage import data

    eyes = ((204, 102.5), (247, 104))
    return [
        frame for frame, _ in film.moving_face(data.astronaut(), (120, 10, 340, 200), eyes, 150)
    ]


if __name__ == "__main__":
    main()
