// Image operations, pure: typed arrays in, typed arrays out.
//
// Both resizers give Pillow's numbers, so that the model is shown in the browser
// what it is shown in Python. A canvas's own scaling would not do: every browser
// has another, and most alias when they shrink by much.

/**
 * RGB bytes (side, side, 3) resized to (size, size, 3): bicubic, widened when
 * shrinking so that fine patterns average out, rounded between the two passes.
 */
export function resizeRgb(rgb, side, size) {
  const { weights, ...filter } = filterWeights(cubic, 2, side, size);
  // Fixed point: sums of bytes fit 32 bits.
  filter.fixed = Int32Array.from(weights, (w) => Math.trunc(w * 2 ** 22 + Math.sign(w) * 0.5));
  return filterColumns(filterRows(rgb, side, filter), size * 3, filter);
}

/** Rows of RGB bytes (rows, from, 3) filtered to (rows, to, 3), rounded half up. */
function filterRows(bytes, rows, { from, to, taps, starts, counts, fixed }) {
  const filtered = new Uint8ClampedArray(rows * to * 3);
  for (let at = 0, row = 0; row < rows; row++) {
    for (let i = 0; i < to; i++, at += 3) {
      let [red, green, blue] = [2 ** 21, 2 ** 21, 2 ** 21];
      const end = i * taps + counts[i];
      for (let k = i * taps, j = (row * from + starts[i]) * 3; k < end; k++, j += 3) {
        red = (red + Math.imul(bytes[j], fixed[k])) | 0;
        green = (green + Math.imul(bytes[j + 1], fixed[k])) | 0;
        blue = (blue + Math.imul(bytes[j + 2], fixed[k])) | 0;
      }
      filtered[at] = red >> 22;
      filtered[at + 1] = green >> 22;
      filtered[at + 2] = blue >> 22;
    }
  }
  return filtered;
}

/** Columns of bytes (from, width) filtered to (to, width), rounded half up. */
function filterColumns(bytes, width, { to, taps, starts, counts, fixed }) {
  const filtered = new Uint8ClampedArray(to * width);
  const sums = new Int32Array(width);
  for (let i = 0; i < to; i++) {
    sums.fill(2 ** 21);
    for (let k = 0; k < counts[i]; k++) {
      const weight = fixed[i * taps + k];
      const first = (starts[i] + k) * width;
      for (let x = 0; x < width; x++) sums[x] += Math.imul(bytes[first + x], weight);
    }
    for (let x = 0; x < width; x++) filtered[i * width + x] = sums[x] >> 22;
  }
  return filtered;
}

/**
 * Where a float mask (size, size) resized to (side, side) can be `least` or more.
 *
 * Returns `{left, top, right, bottom}` in pixels of the result, two more to every
 * side as far as there are any; `null` if it is nowhere.
 */
export function boxOf(mask, size, side, least) {
  let [left, top, right, bottom] = [size, size, -1, -1];
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      if (!(mask[i] >= least)) continue; // What lies between smaller ones is smaller, too.
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return null;
  const scale = size / side;
  const reach = Math.max(scale, 1);
  const first = (sample) => Math.max(Math.floor((sample - reach) / scale) - 2, 0);
  const end = (sample) => Math.min(Math.ceil((sample + 1 + reach) / scale) + 2, side);
  return { left: first(left), top: first(top), right: end(right), bottom: end(bottom) };
}

/**
 * The `box` of float channels (size, size, channels) resized to (side, side, channels),
 * bilinear, float32.
 */
export function resizeChannels(values, channels, size, side, { left, top, right, bottom }) {
  const filter = filterWeights(triangle, 1, size, side);
  const { taps, starts, counts, weights } = filter;
  const width = (right - left) * channels;
  const firstRow = starts[top];
  const rows = new Float32Array((starts[bottom - 1] + counts[bottom - 1] - firstRow) * width);
  for (let at = 0, y = firstRow; at < rows.length; y++) {
    for (let x = left; x < right; x++) {
      const [from, end] = [(y * size + starts[x]) * channels, x * taps + counts[x]];
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = x * taps, i = from + c; k < end; k++, i += channels) sum += values[i] * weights[k];
        rows[at++] = sum;
      }
    }
  }
  const resized = new Float32Array((bottom - top) * width);
  const sums = new Float64Array(width);
  for (let at = 0, y = top; y < bottom; y++, at += width) {
    sums.fill(0);
    for (let k = 0, from = (starts[y] - firstRow) * width; k < counts[y]; k++, from += width) {
      const weight = weights[y * taps + k];
      for (let i = 0; i < width; i++) sums[i] += rows[from + i] * weight;
    }
    resized.set(sums, at);
  }
  return resized;
}

/** A picture of RGBA bytes at half its size, four pixels averaged into one, all opaque. */
export function halved({ data, width, height }) {
  const half = { width: Math.max(width >> 1, 1), height: Math.max(height >> 1, 1) };
  const [right, down] = [width > 1 ? 4 : 0, height > 1 ? 4 * width : 0];
  half.data = new Uint8ClampedArray(4 * half.width * half.height).fill(255);
  for (let y = 0, to = 0; y < half.height; y++) {
    let from = 2 * y * width * 4;
    for (let x = 0; x < half.width; x++, from += 8, to += 4) {
      for (let c = 0; c < 3; c++) {
        const at = from + c;
        const sum = data[at] + data[at + right] + data[at + down] + data[at + right + down];
        half.data[to + c] = (sum + 2) >> 2;
      }
    }
  }
  return half;
}

/** Catmull-Rom's cubic, which reaches two samples to either side. */
function cubic(x) {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? ((2.5 - 0.5 * d) * d - 4) * d + 2 : 0;
}

function triangle(x) {
  return Math.max(1 - Math.abs(x), 0);
}

/** Which samples, of `from`, make each of `to` samples, and with what weights. */
function filterWeights(curve, reach, from, to) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const taps = Math.ceil(reach * stretch) * 2 + 1;
  const filter = {
    from,
    to,
    taps,
    starts: new Int32Array(to),
    counts: new Int32Array(to),
    weights: new Float64Array(to * taps),
  };
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - reach * stretch + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach * stretch + 0.5), from);
    const weights = filter.weights.subarray(i * taps, i * taps + end - start);
    for (let k = start; k < end; k++) {
      weights[k - start] = curve((k - center + 0.5) * (1 / stretch));
    }
    const sum = weights.reduce((a, b) => a + b, 0);
    weights.forEach((w, k) => (weights[k] = w / sum));
    filter.starts[i] = start;
    filter.counts[i] = end - start;
  }
  return filter;
}
