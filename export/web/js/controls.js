// The page's controls: files, thumbnails, threads.

export const element = (id) => document.getElementById(id);

/** Fills `id` with thumbnails of the pictures at `urls`; a chosen one's address goes to `choose`. */
export function fillThumbnails(id, urls, choose) {
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

/** Marks `button` as the chosen one of the thumbnails in `id`; `null` marks none. */
export function press(id, button) {
  for (const other of element(id).children) other.setAttribute("aria-pressed", other === button);
}

/** Calls `use` with each file that is chosen at `id`. */
export function onFile(id, use) {
  element(id).addEventListener("change", ({ target }) => {
    if (target.files.length) use(target.files[0]);
    target.value = ""; // So that the same file can be chosen again.
  });
}

/** Shows a picture, `{data, width, height}` with RGBA bytes, on the canvas `id`. */
export function draw(id, { data, width, height }) {
  const view = element(id);
  if (view.width !== width || view.height !== height) Object.assign(view, { width, height });
  view.getContext("2d").putImageData(new ImageData(data, width), 0, 0);
}

/** Which of the listed models is asked for by `?model=`, its file's name without ending. */
export function askedModel(models) {
  const asked = new URLSearchParams(location.search).get("model");
  return Math.max(models.findIndex(({ file }) => file.endsWith(`/${asked}.tflite`)), 0);
}

/** Threads asked for by `?threads=N`: one unless more are, which pays for large models alone. */
export function askedThreads(possible) {
  const asked = Number(new URLSearchParams(location.search).get("threads")) || 1;
  return Math.max(1, Math.min(Math.floor(asked), possible));
}

/** Offers 1 to `possible` threads; another number than `threads` loads the page anew. */
export function offerThreads(threads, possible) {
  const choices = Array.from({ length: possible }, (_, i) => i + 1);
  const chosen = (n) => new Option(`${n} thread${n > 1 ? "s" : ""}`, n, false, n === threads);
  element("threads").append(...choices.map(chosen));
  element("threads").hidden = choices.length === 1;
  // LiteRT is started once for a page.
  element("threads").addEventListener("change", ({ target }) => {
    const asked = new URLSearchParams(location.search);
    asked.set("threads", target.value);
    location.search = asked;
  });
}

/** Saves what the canvas `id` shows as `name`, at its own resolution. */
export async function saveCanvas(id, name) {
  const blob = await new Promise((resolve) => element(id).toBlob(resolve, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
