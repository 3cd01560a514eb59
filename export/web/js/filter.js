// One edit of one picture: the model between its pre- and post-processing.

import { layOn, modelInput, outline, unedited } from "./photo_edit.js";

/** A square of the reference as `edit` takes it. */
export function referenceInput(model, picture, placement) {
  return modelInput(picture, placement, model.size);
}

/**
 * The picture edited in each of its squares: `mode` is "transfer", "remove" or "segment".
 *
 * `reference` is what `referenceInput` made; only "transfer" asks for it.
 * Returns `{picture, mask, times}`: the mask of the whole picture, and the milliseconds
 * of `framing` the squares, the `model`, and `laying` on.
 */
export async function edit(model, mode, picture, placements, reference) {
  const times = { framing: 0, model: 0, laying: 0 };
  const edited = timed(times, "laying", () => unedited(picture));
  for (const placement of placements) {
    const input = timed(times, "framing", () => modelInput(picture, placement, model.size));
    const start = performance.now();
    const layer =
      mode === "transfer" ? await model.transfer(input, reference) : await model[mode](input);
    times.model += performance.now() - start;
    timed(times, "laying", () => {
      if (mode === "segment") outline(edited, placement, layer, model.size);
      else layOn(edited, placement, input, layer, model.size, mode === "remove");
    });
  }
  const { mask, ...changed } = edited;
  return { picture: changed, mask, times };
}

function timed(times, part, work) {
  const start = performance.now();
  const result = work();
  times[part] += performance.now() - start;
  return result;
}
