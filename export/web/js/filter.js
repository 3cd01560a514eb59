// One edit of one picture: the model between its pre- and post-processing.

import { inOwnColours, layOn, modelInput, outline, unedited } from "./photo_edit.js";

/**
 * The picture edited in each of its squares: `mode` is "transfer", "remove" or "segment".
 *
 * `side` is that at which the model is shown the squares; `reference` is what it prepared of
 * the reference at it, only "transfer" asks for one. Returns `{picture, mask,
 * times}`: the mask of the whole picture, and the milliseconds of `framing` the squares,
 * the `model`, and `laying` on.
 */
export async function edit(model, mode, side, picture, placements, reference) {
  const times = { framing: 0, model: 0, laying: 0 };
  const edited = timed(times, "laying", () => unedited(picture));
  for (const placement of placements) {
    const input = timed(times, "framing", () => modelInput(picture, placement, side));
    const start = performance.now();
    const layer = await model.edit(mode, side, input, reference);
    times.model += performance.now() - start;
    timed(times, "laying", () => {
      if (mode === "segment") outline(edited, placement, layer, side);
      else layOn(edited, placement, input, layer, side);
    });
  }
  return { picture: inOwnColours(edited, edited.mask, picture), mask: edited.mask, times };
}

function timed(times, part, work) {
  const start = performance.now();
  const result = work();
  times[part] += performance.now() - start;
  return result;
}
