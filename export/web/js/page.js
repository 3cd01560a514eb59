// The page: what is chosen, what is shown.

import { fetchPicture, openCamera, openFile, openSample, readPicture } from "./camera.js";
import { openModel, possibleThreads, startEngine } from "./engine.js";
import { edit } from "./filter.js";
import { messageOf, PageError } from "./messages.js";
import { modelInput, tint } from "./photo_edit.js";
import { placementOf } from "./placement.js";

const MASK_COLOUR = [255, 0, 128];
const element = (id) => document.getElementById(id);

/** All that the loop works on; `last` is the latest frame and what was made of it. */
export const state = {
  engine: null,
  model: null,
  retired: [], // Models that a frame may still be in.
  source: null,
  reference: null, // The picture,
  referenceInput: null, // and as the model takes it.
  changed: false, // A still picture is edited again only then.
  last: null,
};

const finished = []; // When the latest frames were.

/** Does `work`; what goes wrong is shown, and false returned. */
async function attempt(work) {
  element("message").hidden = true;
  try {
    await work();
    return true;
  } catch (error) {
    console.warn(error);
    element("message").textContent = messageOf(error);
    element("message").hidden = false;
    return false;
  }
}

/** Like `attempt`, for what is opened: a later choice overtakes an earlier one. */
function chooser(open, use) {
  let latest = 0;
  return (...choice) => {
    const mine = ++latest;
    return attempt(async () => {
      const opened = await open(...choice);
      if (mine !== latest) return opened.close?.();
      use(opened);
      state.changed = true;
    });
  };
}

const chooseSource = chooser(
  (open) => open(),
  (source) => {
    state.source?.close();
    state.source = source;
    finished.length = 0;
    element("view").classList.toggle("mirrored", source.mirrored);
  },
);

const chooseReference = chooser(
  (read) => read(),
  (picture) => {
    state.reference = picture;
    prepareReference();
  },
);

const chooseModel = chooser(
  async (read) => openModel(state.engine, await read()),
  (model) => {
    if (state.model) state.retired.push(state.model);
    state.model = model;
    prepareReference();
  },
);

function prepareReference() {
  if (state.model && state.reference) {
    const { width, height } = state.reference;
    const square = placementOf(state.model.framing, width, height);
    state.referenceInput = modelInput(state.reference, square, state.model.size);
  }
}

async function fetchModel(url) {
  const response = await fetch(url);
  if (!response.ok) {
    throw new PageError(
      `There is no model ${url} (${response.status}). Put the file there or mend ` +
        "models/models.json; or choose a .tflite file of your own.",
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}

function mode() {
  return document.querySelector("input[name=mode]:checked").value;
}

/** Edits frame after frame, as fast as the screen asks for them. */
async function loop() {
  for (;;) {
    await new Promise(requestAnimationFrame);
    state.retired.splice(0).forEach((model) => model.close());
    const ready = state.model && state.source && (mode() !== "transfer" || state.referenceInput);
    if (!ready || !(state.source.live || state.changed)) continue;
    state.changed = false;
    try {
      await showFrame();
    } catch (error) {
      await attempt(() => Promise.reject(error));
      state.source.close();
      state.source = null;
    }
  }
}

async function showFrame() {
  const frame = state.source.frame();
  if (!frame) return;
  const doing = mode();
  const { model, reference, referenceInput } = state;
  const placements = [placementOf(model.framing, frame.width, frame.height)];
  const edited = await edit(model, doing, frame, placements, referenceInput);
  const masked = doing === "segment" || element("show-mask").checked;
  const shown = masked ? tint(edited.picture, edited.mask, MASK_COLOUR) : edited.picture;
  const view = element("view");
  if (view.width !== shown.width || view.height !== shown.height) {
    view.width = shown.width;
    view.height = shown.height;
  }
  view.getContext("2d").putImageData(new ImageData(shown.data, shown.width), 0, 0);
  state.last = { mode: doing, frame, reference, masked, ...edited, size: model.size };
  showFigures(frame, edited.times);
}

function showFigures(frame, times) {
  const { threads } = state.engine;
  finished.push(performance.now());
  while (finished.length > 30) finished.shift();
  const span = finished.at(-1) - finished[0];
  const rate = ((finished.length - 1) * 1000) / span;
  element("figures").textContent = [
    ...(state.source?.live && span > 0 ? [`${rate.toFixed(1)} frames/s`] : []),
    `model ${times.model.toFixed(0)} ms`,
    `${frame.width} × ${frame.height}`,
    `${threads} thread${threads > 1 ? "s" : ""}`,
  ].join(" · ");
}

function showSamples(model) {
  fillThumbnails("targets", model.targets, (url) => chooseSource(() => openSample(url)));
  fillThumbnails("references", model.references, (url) =>
    chooseReference(() => fetchPicture(url)),
  );
}

function fillThumbnails(id, urls, choose) {
  element(id).replaceChildren(
    ...urls.map((url) => {
      const button = document.createElement("button");
      const image = document.createElement("img");
      image.src = url;
      image.alt = url.replace(/.*\/|\.\w+$/g, "");
      button.append(image);
      button.addEventListener("click", () => {
        press(id, button);
        choose(url);
      });
      return button;
    }),
  );
}

function press(id, button) {
  for (const other of element(id).children) other.setAttribute("aria-pressed", other === button);
}

function onFile(id, use) {
  element(id).addEventListener("change", ({ target }) => {
    if (target.files.length) use(target.files[0]);
    target.value = ""; // So that the same file can be chosen again.
  });
}

async function useListed(model) {
  showSamples(model);
  element("references").firstElementChild?.click();
  if (!state.source?.live) element("targets").firstElementChild?.click();
  return chooseModel(() => fetchModel(model.file));
}

function listen(models) {
  element("camera").addEventListener("click", async () => {
    if (await chooseSource(openCamera)) press("targets", null);
  });
  onFile("target-file", async (file) => {
    if (await chooseSource(() => openFile(file))) press("targets", null);
  });
  onFile("reference-file", async (file) => {
    if (await chooseReference(() => readPicture(file, file.name))) press("references", null);
  });
  onFile("model-file", async (file) => {
    const read = async () => new Uint8Array(await file.arrayBuffer());
    if (!(await chooseModel(read))) return;
    element("models").selectedIndex = -1;
    element("model-name").textContent = file.name;
  });
  element("models").addEventListener("change", ({ target }) => {
    element("model-name").textContent = "";
    useListed(models[target.selectedIndex]);
  });
  for (const control of document.querySelectorAll("input[name=mode], #show-mask")) {
    control.addEventListener("change", () => (state.changed = true));
  }
  element("save").addEventListener("click", () => attempt(save));
}

/** Saves the picture as shown, at the frame's own resolution. */
async function save() {
  if (!state.last) throw new PageError("There is no picture yet. Choose one, or the camera.");
  const blob = await new Promise((resolve) => element("view").toBlob(resolve, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${state.last.mode}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Threads asked for by `?threads=N`: one unless more are, which pays for large models alone. */
function askedThreads() {
  const asked = Number(new URLSearchParams(location.search).get("threads")) || 1;
  return Math.max(1, Math.min(Math.floor(asked), possibleThreads()));
}

function offerThreads(threads) {
  const choices = Array.from({ length: possibleThreads() }, (_, i) => i + 1);
  const chosen = (n) => new Option(`${n} thread${n > 1 ? "s" : ""}`, n, false, n === threads);
  element("threads").append(...choices.map(chosen));
  element("threads").hidden = choices.length === 1;
  // LiteRT is started once for a page.
  element("threads").addEventListener("change", ({ target }) => {
    location.search = `?threads=${target.value}`;
  });
}

async function start() {
  const response = await fetch("models/models.json");
  if (!response.ok) throw new PageError("There is no models/models.json beside the page.");
  const models = await response.json();
  element("models").append(...models.map((model) => new Option(model.name)));
  state.engine = await startEngine(askedThreads());
  offerThreads(state.engine.threads);
  listen(models);
  await useListed(models[0]);
  loop();
}

element("figures").textContent = "Loading…";
if (!(await attempt(start))) element("figures").textContent = "";
