// The page: what is chosen, what is shown.

import { fetchPicture, openCamera, openFile, openSample, readPicture } from "./camera.js";
import { askedModel, askedThreads, draw, element, fillThumbnails } from "./controls.js";
import { offerThreads, onFile, press, saveCanvas } from "./controls.js";
import { openFinder, openQuickly, possibleThreads, startEngine } from "./engine.js";
import { edit } from "./filter.js";
import { messageOf, PageError } from "./messages.js";
import { asPicture, modelInput, tint } from "./photo_edit.js";
import { Squares } from "./squares.js";

const MASK_COLOUR = [255, 0, 128];
const FINDER = "models/faces.tflite";
const NO_FACE = "No face was found here: the picture is shown as it is.";
const NO_REFERENCE_FACE = "No face was found in the reference. Choose a picture that shows one.";

/** All that the loop works on; `last` is the latest frame and what was made of it. */
export const state = {
  engine: null,
  model: null,
  retired: [], // Models that a frame may still be in.
  source: null,
  reference: null,
  prepared: null, // The reference's square, and as the model takes it.
  squares: null,
  changed: false, // A still picture is edited again only then.
  last: null,
};

let starting = null; // The engine, until it is there.
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
    state.squares.forget();
    finished.length = 0;
    element("view").classList.toggle("mirrored", source.mirrored);
  },
);

const chooseReference = chooser(
  (read) => read(),
  (picture) => {
    state.reference = picture;
  },
);

const chooseModel = chooser(
  async (read) => {
    const reading = read();
    const engine = await starting;
    return openQuickly(engine, await reading);
  },
  useModel,
);

function useModel(model) {
  if (state.model) state.retired.push(state.model);
  state.model = model;
  state.changed = true;
  element("detail").disabled = model.detailSize === null && !model.whole;
}

/** After a quick start, when the first picture is shown: the whole of the model. */
async function openWhole() {
  const { model } = state;
  if (!model.whole || state.last?.model !== model) return;
  const { whole } = model;
  // The picture is painted first: opening blocks the page.
  await new Promise(requestAnimationFrame);
  await new Promise((resolve) => setTimeout(resolve, 30));
  model.whole = null;
  await attempt(async () => {
    const opened = await whole();
    if (state.model === model) useModel(opened);
    else opened.close(); // Another was chosen meanwhile.
  });
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
    const ready = state.model && state.source && (mode() !== "transfer" || state.reference);
    if (!ready || !(state.source.live || state.changed)) continue;
    state.changed = false;
    try {
      await showFrame();
      await openWhole();
    } catch (error) {
      await attempt(() => Promise.reject(error));
      state.source.close();
      state.source = null;
    }
  }
}

async function showFrame() {
  const { model, reference, source, squares } = state;
  const frame = source.frame();
  if (!frame) return;
  const [doing, start] = [mode(), performance.now()];
  const side = (element("detail").checked && model.detailSize) || model.size;
  const found = await squares.of(model, frame, source.live ? start / 1000 : undefined);
  const finding = performance.now() - start;
  const prepared = doing === "transfer" ? await prepare(model, reference, side) : undefined;
  const wanted = element("every-face").checked ? found : found.slice(0, 1);
  const noReference = prepared && !prepared.square;
  const placements = noReference ? [] : wanted;
  const edited = await edit(model, doing, side, frame, placements, prepared?.input);
  const masked = doing === "segment" || element("show-mask").checked;
  draw("view", masked ? tint(edited.picture, edited.mask, MASK_COLOUR) : edited.picture);
  const times = { finding, ...edited.times };
  state.last = { ...edited, model, mode: doing, frame, reference, masked, placements, side, times };
  showFigures(frame, times);
  if (prepared && !model.whole) await showFound(prepared);
  notice(noReference ? NO_REFERENCE_FACE : found.length === 0 ? NO_FACE : "");
}

/**
 * The reference as the model takes it: its `square`, the square's pixels as `shown`, and
 * `input`; without a square, and these, if the model wants a face and there is none.
 */
async function prepare(model, reference, side) {
  const made = state.prepared;
  if (made?.model === model && made.reference === reference && made.side === side) return made;
  const [square] = await state.squares.of(model, reference);
  if (made?.input) made.model.release(made.input);
  state.prepared = { model, reference, side, square };
  if (square) {
    const shown = modelInput(reference, square, side);
    Object.assign(state.prepared, { shown, input: await model.prepare(shown, side) });
  }
  return state.prepared;
}

/** Shows once what the model sees in a reference: its mask, and what is cut out. */
async function showFound(prepared) {
  if (prepared.drawn) return;
  const { model, side, square, shown } = prepared;
  element("found").hidden = !square;
  if (square) {
    const { mask } = await model.edit("segment", side, shown);
    draw("found-mask", tint(asPicture(shown, side), mask, MASK_COLOUR));
    draw("found-content", asPicture(shown, side, mask));
  }
  prepared.drawn = true;
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

/** Says what is so, which is no error. */
function notice(text) {
  if (element("notice").textContent !== text) element("notice").textContent = text;
}

function showSamples(model) {
  fillThumbnails("targets", model.targets, (url) => chooseSource(() => openSample(url)));
  fillThumbnails("references", model.references, (url) =>
    chooseReference(() => fetchPicture(url)),
  );
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
  for (const control of document.querySelectorAll("input[name=mode], input[type=checkbox]")) {
    control.addEventListener("change", () => (state.changed = true));
  }
  element("save").addEventListener("click", () => attempt(save));
}

async function save() {
  if (!state.last) throw new PageError("There is no picture yet. Choose one, or the camera.");
  await saveCanvas("view", `${state.last.mode}.png`);
}

async function start() {
  starting = startEngine(askedThreads(possibleThreads()));
  starting.catch(() => {}); // Told below.
  const response = await fetch("models/models.json");
  if (!response.ok) throw new PageError("There is no models/models.json beside the page.");
  const models = await response.json();
  element("models").append(...models.map((model) => new Option(model.name)));
  element("models").selectedIndex = askedModel(models);
  state.squares = new Squares(async () => openFinder(await starting, await fetchModel(FINDER)));
  const opening = useListed(models[element("models").selectedIndex]);
  state.engine = await starting;
  offerThreads(state.engine.threads, possibleThreads());
  listen(models);
  await opening;
  loop();
}

element("figures").textContent = "Loading…";
if (!(await attempt(start))) element("figures").textContent = "";
