// Edits of pictures of any size, at their own resolution, pure.
//
// The model sees a square of the picture, resized to `size`. What it changed and
// where is resized to the square again, turned back and laid on the picture itself:
// pixels outside the mask stay the picture's own, to the bit. Pictures are `{data,
// width, height}` with RGBA bytes, as ImageData is.

import { boxOf, resizeChannel, resizeRgb } from "./images.js";

// Soft masks fade out slowly; what is fainter than this is left untouched.
export const MASK_FLOOR = 0.05;

/** A square of a picture as the model takes it: floats in [0, 1], (1, size, size, 3). */
export function modelInput(picture, placement, size) {
  const rgb = resizeRgb(placement.upright(picture), placement.pixels, size);
  const input = new Float32Array(rgb.length);
  for (let i = 0; i < input.length; i++) input[i] = rgb[i] / 255;
  return input;
}

/** A picture with nothing done to it yet: `{data, width, height, mask}`, its bytes copied. */
export function unedited({ data, width, height }) {
  const mask = new Float32Array(width * height);
  return { data: new Uint8ClampedArray(data), width, height, mask };
}

/**
 * What the model put on its input, times the mask: image - (1 - mask) * input.
 *
 * Times the mask, because outside it there is no such thing. The three channels
 * come one after the other, each (size, size).
 */
export function maskedPaint(input, image, mask) {
  const paint = [0, 1, 2].map(() => new Float32Array(mask.length));
  for (let i = 0; i < mask.length; i++) {
    for (let c = 0; c < 3; c++) {
      paint[c][i] = image[3 * i + c] - (1 - mask[i]) * input[3 * i + c];
    }
  }
  return paint;
}

/**
 * The model's edit of a square laid on a picture, in place.
 *
 * `edited` is what `unedited` gives; its `mask` tells where it was edited, 0 where the
 * picture's own pixels are. `input` is what the model was shown, (size, size). Where a
 * mask of 0 and 1 alone reaches, resized, the paint covers, so that no outline of the
 * content is left.
 */
export function layOn(edited, placement, input, { image, mask }, size) {
  const laid = resized(edited, placement, MASK_FLOOR, [mask, ...maskedPaint(input, image, mask)], size);
  if (!laid) return;
  const [shares, ...colours] = laid.channels;
  const opaque = mask.every((value) => value === 0 || value === 1);
  forEachPixel(edited, laid.box, (at, i) => {
    const share = shares[i];
    if (share < MASK_FLOOR) return;
    edited.mask[at] = Math.max(edited.mask[at], opaque ? 1 : share);
    const gain = opaque ? 255 / share : 255;
    const kept = opaque ? 0 : 1 - share;
    for (let c = 0; c < 3; c++) {
      // Stored, a byte is rounded and clamped.
      edited.data[4 * at + c] = gain * colours[c][i] + kept * edited.data[4 * at + c];
    }
  });
}

/**
 * Where the model sees the content, drawn into `edited.mask`: 1 there.
 *
 * `binary` tells the stored threshold: it is as high as the faintest pixel above.
 */
export function outline(edited, placement, { mask, binary }, size) {
  let threshold = Infinity;
  mask.forEach((value, i) => {
    if (binary[i] > 0.5) threshold = Math.min(threshold, value);
  });
  const laid = resized(edited, placement, threshold, [mask], size);
  if (!laid) return;
  forEachPixel(edited, laid.box, (at, i) => {
    if (laid.channels[0][i] >= threshold) edited.mask[at] = 1;
  });
}

/**
 * Channels (size, size) of a square as they lie in the picture, in a box without which the
 * first of them, the mask, is below `least`: `{box, channels}`; `null` if it is everywhere.
 */
function resized(picture, placement, least, channels, size) {
  const box = boxOf(channels[0], size, placement.pixels, least);
  if (!box) return null;
  const laid = channels.map((channel) => {
    const values = resizeChannel(channel, size, placement.pixels, box);
    return placement.back(values, box, picture.width, picture.height);
  });
  return { box: laid[0], channels: laid.map(({ values }) => values) };
}

/** Calls `visit` with the position in the picture and in the box of the box's pixels. */
function forEachPixel({ width }, { left, top, right, bottom }, visit) {
  for (let y = top, i = 0; y < bottom; y++) {
    for (let x = left; x < right; x++, i++) visit(y * width + x, i);
  }
}

/** The picture with `colour` laid over the mask, a value for each pixel. */
export function tint({ data, width, height }, mask, colour) {
  const tinted = new Uint8ClampedArray(data);
  mask.forEach((share, i) => {
    if (share === 0) return;
    for (let c = 0; c < 3; c++) {
      tinted[4 * i + c] += 0.6 * share * (colour[c] - tinted[4 * i + c]);
    }
  });
  return { data: tinted, width, height };
}
