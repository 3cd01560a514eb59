// Where a model's square lies in a picture, and the way there and back, pure.
//
// What `mbu_tf/faces/placement.py` does, with its numbers. Positions are in pixels
// of the picture, (0, 0) the outer corner of the first, whose centre is at
// (0.5, 0.5); those in the square are shares of its side.

// A square so many times as large as the picture would show next to nothing of it.
const MAX_SIDE = 8;

/**
 * Which square of a picture a model looks at.
 *
 * `framing` is the model's, see metadata.js; `eyes` are a face's, `[[x, y], [x, y]]`,
 * that first which is left when the face is upright; the centre square needs none.
 */
export function placementOf(framing, width, height, eyes) {
  if (framing.kind === "centre") {
    const side = Math.min(width, height);
    return new Placement((width - side) >> 1, (height - side) >> 1, side, 0);
  }
  // The similarity (turn, scale, shift) that takes the framing's eyes to the face's.
  const [[x, y], [toX, toY]] = eyes;
  const [u, v] = framing.left_eye;
  const [across, along] = [framing.right_eye[0] - u, framing.right_eye[1] - v];
  const square = across ** 2 + along ** 2;
  const right = ((toX - x) * across + (toY - y) * along) / square;
  const down = ((toY - y) * across - (toX - x) * along) / square;
  return new Placement(x - (u * right - v * down), y - (u * down + v * right), right, down);
}

/**
 * A square in a picture, at any turn: its upper left corner is at (x, y), and from
 * there to its upper right corner it is (right, down).
 */
export class Placement {
  constructor(x, y, right, down) {
    Object.assign(this, { x, y, right, down });
    this.side = Math.hypot(right, down);
    this.pixels = Math.max(1, roundHalfEven(this.side));
  }

  /** The point (u, v) of the square as `[x, y]` of the picture. */
  toPicture(u, v) {
    return [this.x + u * this.right - v * this.down, this.y + u * this.down + v * this.right];
  }

  /** The point (x, y) of the picture as `[u, v]` of the square. */
  toSquare(x, y) {
    const [u, v] = [(x - this.x) / this.side ** 2, (y - this.y) / this.side ** 2];
    return [u * this.right + v * this.down, v * this.right - u * this.down];
  }

  /**
   * The square upright at the picture's own scale: RGB bytes (pixels, pixels, 3).
   *
   * Beyond the picture's edges the picture is mirrored. A square on whole pixels is a
   * part of the picture as it is, what lies between pixels is interpolated, bilinear.
   */
  upright(picture) {
    const { width, height } = picture;
    if (this.side > MAX_SIDE * Math.max(width, height)) {
      throw new RangeError(`A square of ${this.pixels} pixels in ${width} x ${height}`);
    }
    const { x, y, right, down } = this;
    const whole = down === 0 && [x, y, right].every(Number.isInteger) && Math.min(x, y) >= 0;
    if (whole && x + right <= width && y + right <= height) return cut(picture, x, y, right);
    return this.sampled(picture, this.pixels);
  }

  /** The square upright as RGB bytes (pixels, pixels, 3), sampled at so many places. */
  sampled({ data, width, height }, pixels) {
    const rgb = new Uint8ClampedArray(pixels * pixels * 3);
    // Pixel (i, j) of the square lies at (x + a i - b j, y + b i + a j).
    const [a, b] = [this.right / pixels, this.down / pixels];
    let [left, top, right, bottom] = bounds(this, 0, 0, 1, 1);
    [left, top, right, bottom] = [left - 1, top - 1, right + 1, bottom + 1];
    const columns = mirrored(left, right, width, 4);
    const rows = mirrored(top, bottom, height, 4 * width);
    const [startX, startY] = [this.x - left, this.y - top];
    for (let j = 0, at = 0; j < pixels; j++) {
      for (let i = 0; i < pixels; i++) {
        const fromX = a * (i + 0.5) - b * (j + 0.5) + startX - 0.5;
        const fromY = b * (i + 0.5) + a * (j + 0.5) + startY - 0.5;
        const x = Math.floor(fromX);
        const y = Math.floor(fromY);
        const shareX = fromX - x;
        const shareY = fromY - y;
        const upper = rows[y] + columns[x];
        const lower = rows[y + 1] + columns[x];
        const next = columns[x + 1] - columns[x];
        for (let c = 0; c < 3; c++) {
          const above = data[upper + c] + (data[upper + next + c] - data[upper + c]) * shareX;
          const below = data[lower + c] + (data[lower + next + c] - data[lower + c]) * shareX;
          // Stored, a byte is rounded.
          rgb[at++] = Math.fround(above + (below - above) * shareY);
        }
      }
    }
    return rgb;
  }

  /**
   * A part of the square as it lies in a picture of (width, height).
   *
   * `values` are float channels of the `box` `{left, top, right, bottom}` of the square's
   * pixels. Returns `{left, top, right, bottom, values}`, the box of the picture that
   * it touches, and there 0 outside the square's box.
   */
  back(values, channels, box, width, height) {
    const { pixels } = this;
    const stride = (box.right - box.left) * channels;
    const inPicture = (edges) => {
      const [left, top, right, bottom] = bounds(this, ...edges.map((edge) => edge / pixels));
      const within = (at, end) => Math.min(Math.max(at, 0), end);
      return [within(left, width), within(top, height), within(right, width), within(bottom, height)];
    };
    const [left, top, right, bottom] = inPicture([box.left, box.top, box.right, box.bottom]);
    const laid = new Float32Array((right - left) * (bottom - top) * channels);
    const a = (this.right * pixels) / this.side ** 2;
    const b = (-this.down * pixels) / this.side ** 2;
    // Counted from the corner of all that the square touches, as Python does: a pixel on
    // its very edge is in or out by the last bit.
    const [cornerX, cornerY] = inPicture([0, 0, pixels, pixels]);
    const [startX, startY] = this.toSquare(cornerX, cornerY).map((share) => share * pixels);
    for (let j = top - cornerY, at = 0; j < bottom - cornerY; j++) {
      for (let i = left - cornerX; i < right - cornerX; i++, at += channels) {
        const inX = a * (i + 0.5) - b * (j + 0.5) + startX;
        const inY = b * (i + 0.5) + a * (j + 0.5) + startY;
        if (inX < 0 || inX >= pixels || inY < 0 || inY >= pixels) continue;
        const x = Math.floor(inX - 0.5);
        const y = Math.floor(inY - 0.5);
        const shareX = inX - 0.5 - x;
        const shareY = inY - 0.5 - y;
        const x0 = Math.max(x, 0);
        const x1 = Math.min(x + 1, pixels - 1);
        const y0 = Math.max(y, 0);
        const y1 = Math.min(y + 1, pixels - 1);
        if (x0 < box.left || x1 >= box.right || y0 < box.top || y1 >= box.bottom) continue;
        const upper = (y0 - box.top) * stride + (x0 - box.left) * channels;
        const lower = (y1 - box.top) * stride + (x0 - box.left) * channels;
        const next = (x1 - x0) * channels;
        for (let c = 0; c < channels; c++) {
          const above = between(values[upper + c], values[upper + next + c], shareX);
          const below = between(values[lower + c], values[lower + next + c], shareX);
          laid[at + c] = above + (below - above) * shareY;
        }
      }
    }
    return { left, top, right, bottom, values: laid };
  }
}

/** A square of a picture as RGB bytes, as it is. */
function cut({ data, width }, left, top, side) {
  const rgb = new Uint8ClampedArray(side * side * 3);
  for (let y = 0, to = 0; y < side; y++) {
    let from = ((top + y) * width + left) * 4;
    for (let x = 0; x < side; x++, from += 4, to += 3) {
      rgb[to] = data[from];
      rgb[to + 1] = data[from + 1];
      rgb[to + 2] = data[from + 2];
    }
  }
  return rgb;
}

/** Between two float32, whose difference is one too. */
function between(first, second, share) {
  return first + Math.fround(second - first) * share;
}

/** Whole pixels around a part of the square: left, top, right, bottom. */
function bounds(placement, left, top, right, bottom) {
  const corners = [
    placement.toPicture(left, top),
    placement.toPicture(right, top),
    placement.toPicture(left, bottom),
    placement.toPicture(right, bottom),
  ];
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return [
    Math.floor(Math.min(...xs)),
    Math.floor(Math.min(...ys)),
    Math.ceil(Math.max(...xs)),
    Math.ceil(Math.max(...ys)),
  ];
}

/** Where the samples `start` to `end` of `size` mirrored ones lie, `step` apart. */
function mirrored(start, end, size, step) {
  const modulo = (n, m) => ((n % m) + m) % m;
  return Int32Array.from(
    { length: end - start },
    (_, i) => Math.trunc(Math.abs(modulo(start + i + size, 2 * size) - size + 0.5)) * step,
  );
}

/** As Python rounds. */
function roundHalfEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
