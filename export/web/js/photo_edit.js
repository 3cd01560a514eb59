// Edits of pictures of any size, at their own resolution, pure.
//
// The model sees a square of the picture, resized to `size`. What it changed and
// where is resized to the square again, turned back and laid on the picture itself:
// pixels outside the mask stay the picture's own, to the bit. Pictures are `{data,
// width, height}` with RGBA bytes, as ImageData is.

import { boxOf, resizeChannels, resizeRgb } from "./images.js";

// Soft masks fade out slowly; what is fainter than this is left untouched.
export const MASK_FLOOR = 0.05;

/** A square of a picture as the model takes it: floats in [0, 1], (1, size, size, 3). */
export function modelInput(picture, placement, size) {
  const rgb = resizeRgb(placement.upright(picture), placement.pixels, size);
  const input = new Float32Array(rgb.length);
  for (let i = 0; i < input.length; i++) input[i] = rgb[i] / 255;
  return input;
}

/** RGBA bytes as they are seen on white, and beside them, as `own`, as they are, if they differ. */
export function onWhite({ data, width, height }) {
  let opaque = true;
  for (let i = 3; i < data.length && opaque; i += 4) opaque = data[i] === 255;
  if (opaque) return { data, width, height };
  const seen = new Uint8ClampedArray(data);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3];
    for (let c = i; c < i + 3; c++) {
      seen[c] = Math.trunc((data[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    seen[i + 3] = 255;
  }
  return { data: seen, width, height, own: data };
}

/**
 * An edit of a picture that `onWhite` gave, as transparent as the picture is: its RGBA bytes
 * where the mask is 0, the edit laid on its own colours elsewhere.
 */
export function inOwnColours({ data, width, height }, mask, { own, data: seen }) {
  if (!own) return { data, width, height };
  const laid = new Uint8ClampedArray(own);
  mask.forEach((share, i) => {
    if (share === 0) return;
    for (let c = 4 * i; c < 4 * i + 3; c++) laid[c] = data[c] + (1 - share) * (own[c] - seen[c]);
  });
  return { data: laid, width, height };
}

/** A square as `modelInput` gives it as a picture, with the mask for its alpha channel, if given. */
export function asPicture(input, size, mask) {
  const data = new Uint8ClampedArray(4 * size * size).fill(255);
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = 255 * input[3 * i + c];
    if (mask) data[4 * i + 3] = 255 * mask[i];
  }
  return { data, width: size, height: size };
}

/** A picture with nothing done to it yet: `{data, width, height, mask}`, its bytes copied. */
export function unedited({ data, width, height }) {
  const mask = new Float32Array(width * height);
  return { data: new Uint8ClampedArray(data), width, height, mask };
}

/**
 * What the model put on its input, times the mask, and the mask: (size, size, 4).
 *
 * Times the mask, image - (1 - mask) * input, because outside it there is no such thing.
 */
export function maskedPaint(input, image, mask) {
  const paint = new Float32Array(4 * mask.length);
  for (let i = 0, at = 0, from = 0; i < mask.length; i++, at += 4, from += 3) {
    const kept = 1 - mask[i];
    for (let c = 0; c < 3; c++) paint[at + c] = image[from + c] - kept * input[from + c];
    paint[at + 3] = mask[i];
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
  const paint = maskedPaint(input, image, mask);
  const laid = resized(edited, placement, MASK_FLOOR, mask, paint, size);
  if (!laid) return;
  const { values } = laid;
  const opaque = mask.every((value) => value === 0 || value === 1);
  forEachPixel(edited, laid, (at, i) => {
    const share = values[4 * i + 3];
    if (share < MASK_FLOOR) return;
    edited.mask[at] = Math.max(edited.mask[at], opaque ? 1 : share);
    const gain = opaque ? 255 / share : 255;
    const kept = opaque ? 0 : 1 - share;
    for (let c = 0; c < 3; c++) {
      // Stored, a byte is rounded and clamped.
      edited.data[4 * at + c] = gain * values[4 * i + c] + kept * edited.data[4 * at + c];
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
  const laid = resized(edited, placement, threshold, mask, mask, size);
  if (!laid) return;
  forEachPixel(edited, laid, (at, i) => {
    if (laid.values[i] >= threshold) edited.mask[at] = 1;
  });
}

/**
 * Channels (size, size, channels) of a square as they lie in the picture, in a box without
 * which its mask is below `least`: `{left, top, right, bottom, values}`; `null` if it is
 * everywhere.
 */
function resized({ width, height }, placement, least, mask, values, size) {
  const { pixels } = placement;
  const channels = values.length / mask.length;
  const box = boxOf(mask, size, pixels, least);
  if (!box) return null;
  const square = resizeChannels(values, channels, size, pixels, box);
  return placement.back(square, channels, box, width, height);
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
