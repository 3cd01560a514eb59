// Faces in a picture, found by BlazeFace: the same network as in Python, which sees faces of
// 20 to 85 pixels in a picture of 128 x 128.
//
// A first look goes over the picture at several sizes, tile by tile, and finds where faces
// may be. A second look at each of these places, turned upright and at the size that the
// network knows best, dismisses what is none and says where the eyes are.
//
// A face is `{center: [x, y], side, eyes: [[x, y], [x, y]], score}`: of a square around brows
// and mouth, and of the eyes that are left and right when the face is upright; in pixels.

import { halved } from "./images.js";
import { Placement } from "./placement.js";

const SIZE = 128;
// From one tile to the next: they overlap by the largest face that the next size cannot see.
const STEP = 80;
const [FIRST_SCORE, ROUGH_SCORE, LEAST_SCORE] = [0.5, 0.35, 0.7];
// Sides of the square around a face, in sides of its own, in which it is looked at again.
const [ROUGH, FINE] = [[2], [1.6, 2, 2.4]];
// There it lies in the middle, and what overlaps it this much speaks of the same face.
const [MIDDLE, SAME_FACE, LEAST_VOTE] = [0.2, 0.3, 0.2];

/** Finds faces; `run` gives `{faces, scores}`, floats, of RGB floats in [0, 255]. */
export class FaceFinder {
  #run;
  #seen = {}; // The latest picture, and its halves.

  constructor(run) {
    this.#run = run;
  }

  /**
   * All faces of a picture, the largest first, of about 20 pixels or more where its longer
   * side is shrunk to `longest`, or somewhat below.
   *
   * `turn` looks at one of its tiles alone, another at every count; of `known` faces nothing
   * is said.
   */
  async search(picture, longest = 640, turn = null, known = []) {
    const pyramid = this.#pyramid(picture);
    const tiles = pyramid.sides.flatMap((sides, level) => tilesOf(sides, level, longest));
    const likely = [];
    for (const tile of turn === null ? tiles : [tiles[turn % tiles.length]]) {
      const shown = pyramid.at(tile.level);
      const square = scaled(new Placement(tile.left, tile.top, SIZE, 0), shown.scale);
      for (const face of facesOf(await this.#run(tilePixels(shown, tile)), FIRST_SCORE)) {
        likely.push(moved(face, square));
      }
    }
    const faces = [];
    for (const candidate of blended(likely)) {
      if (known.some((face) => overlap(face, candidate) > SAME_FACE)) continue;
      const rough = await this.#look(picture, candidate, ROUGH);
      if (!(rough?.score >= ROUGH_SCORE)) continue;
      const face = await this.#look(picture, rough, FINE);
      if (face?.score >= LEAST_SCORE) faces.push(face);
    }
    return withoutRepeats(faces).sort((a, b) => b.side - a.side);
  }

  /** The face near `face`, of which it is known in which turn and size it is; or `null`. */
  async look(picture, face) {
    const found = await this.#look(picture, face, ROUGH);
    return found?.score >= FIRST_SCORE ? found : null;
  }

  /**
   * The mean of what is seen in upright squares of some sides around a face and in their
   * mirror images; `null` where one does not show it.
   */
  async #look(picture, face, sides) {
    const pyramid = this.#pyramid(picture);
    const seen = [];
    for (const side of sides) {
      const square = uprightSquare(face, side);
      // As small as still has the square's pixels: what falls together is averaged.
      const halvings = Math.floor(Math.log2(square.side / SIZE));
      const shown = pyramid.at(Math.min(Math.max(halvings, 0), pyramid.sides.length - 1));
      const crop = scaled(square, 1 / shown.scale).sampled(shown, SIZE);
      const see = async (pixels) => middleFace(facesOf(await this.#run(pixels), LEAST_VOTE));
      const plain = await see(Float32Array.from(crop));
      const found = [plain, reflected(await see(reflectedPixels(crop)))];
      if (found.includes(null)) return null;
      seen.push(...found.map((each) => moved(each, square)));
    }
    return mean(seen, seen.map(() => 1));
  }

  #pyramid(picture) {
    if (this.#seen.picture !== picture) this.#seen = { picture, pyramid: new Pyramid(picture) };
    return this.#seen.pyramid;
  }
}

/** The faces that BlazeFace's `faces` (anchors, 8, 2) and `scores` (anchors) tell of. */
export function facesOf({ faces, scores }, leastScore) {
  const likely = [];
  scores.forEach((score, i) => {
    if (score < leastScore) return;
    const [left, top, right, bottom, ...eyes] = faces.subarray(16 * i, 16 * i + 8);
    likely.push({
      center: [(left + right) / 2, (top + bottom) / 2],
      side: right - left,
      eyes: [eyes.slice(0, 2), eyes.slice(2)],
      score,
    });
  });
  return likely;
}

/**
 * One face for each group of overlapping ones: their mean, weighted by score, as the
 * BlazeFace paper has it (section 3.4); the best first.
 */
export function blended(faces) {
  const groups = [];
  let left = [...faces].sort((a, b) => b.score - a.score);
  while (left.length) {
    const [best] = left;
    const group = left.filter((face) => face === best || overlap(best, face) > SAME_FACE);
    groups.push({ ...mean(group, group.map(({ score }) => score)), score: best.score });
    left = left.filter((face) => !group.includes(face));
  }
  return groups;
}

/** The face in the middle of a crop, blended of all that speak of it; or `null`. */
function middleFace(faces) {
  const off = ({ center }) => Math.max(...center.map((at) => Math.abs(at / SIZE - 0.5)));
  const inside = faces.filter((face) => off(face) <= MIDDLE);
  if (!inside.length) return null;
  const best = inside.reduce((a, b) => (b.score > a.score ? b : a));
  const group = faces.filter((face) => face === best || overlap(best, face) > SAME_FACE);
  return { ...mean(group, group.map(({ score }) => score)), score: best.score };
}

/** The best of the faces that share more than half of the smaller one's square. */
function withoutRepeats(faces) {
  const kept = [];
  for (const face of [...faces].sort((a, b) => b.score - a.score)) {
    const smaller = (other) => Math.min(face.side, other.side) ** 2;
    if (kept.every((other) => shared(face, other) <= 0.5 * smaller(other))) kept.push(face);
  }
  return kept;
}

function mean(faces, weights) {
  const sum = weights.reduce((a, b) => a + b, 0);
  const of = (value) => faces.reduce((total, face, i) => total + value(face) * weights[i], 0) / sum;
  const point = (value) => [0, 1].map((c) => of((face) => value(face)[c]));
  return {
    center: point((face) => face.center),
    side: of((face) => face.side),
    eyes: [0, 1].map((eye) => point((face) => face.eyes[eye])),
    score: of((face) => face.score),
  };
}

function shared(a, b) {
  const sides = [0, 1].map((c) => {
    const end = Math.min(a.center[c] + a.side / 2, b.center[c] + b.side / 2);
    return Math.max(end - Math.max(a.center[c] - a.side / 2, b.center[c] - b.side / 2), 0);
  });
  return sides[0] * sides[1];
}

/** Intersection over union of two faces' squares. */
function overlap(a, b) {
  const both = shared(a, b);
  return both / (a.side ** 2 + b.side ** 2 - both);
}

/** A face seen in a square, as it lies in the picture. */
function moved(face, square) {
  const point = ([x, y]) => square.toPicture(x / SIZE, y / SIZE);
  const side = (face.side * square.side) / SIZE;
  return { ...face, center: point(face.center), side, eyes: face.eyes.map(point) };
}

/** RGB bytes (128, 128, 3) in the mirror, as floats. */
function reflectedPixels(rgb) {
  const pixels = new Float32Array(rgb.length);
  for (let at = 0, i = 0; i < SIZE * SIZE; i++, at += 3) {
    const from = 3 * (i - (i % SIZE) + SIZE - 1 - (i % SIZE));
    for (let c = 0; c < 3; c++) pixels[at + c] = rgb[from + c];
  }
  return pixels;
}

/** A face in the mirror as it lies in the picture itself; `null` stays so. */
function reflected(face) {
  if (!face) return null;
  const point = ([x, y]) => [SIZE - x, y];
  const [left, right] = face.eyes;
  return { ...face, center: point(face.center), eyes: [point(right), point(left)] };
}

/** The square around a face, so many times as large as its own, in which its eyes are level. */
function uprightSquare({ center: [x, y], side, eyes: [left, right] }, times) {
  const [across, along] = [right[0] - left[0], right[1] - left[1]];
  const scale = (times * side) / Math.max(Math.hypot(across, along), 1e-6);
  const [toRight, down] = [across * scale, along * scale];
  return new Placement(x - (toRight - down) / 2, y - (down + toRight) / 2, toRight, down);
}

function scaled({ x, y, right, down }, by) {
  return new Placement(x * by, y * by, right * by, down * by);
}

/** A picture and its halves down to the network's size, made when they are asked for. */
class Pyramid {
  #pictures;

  constructor({ data, width, height }) {
    this.#pictures = [{ data, width, height, scale: 1 }];
    /** Width and height of each. */
    this.sides = [[width, height]];
    while (Math.max(...this.sides.at(-1)) > SIZE) {
      this.sides.push(this.sides.at(-1).map((side) => Math.max(side >> 1, 1)));
    }
  }

  /** `{data, width, height, scale}` of the picture halved so many times. */
  at(level) {
    while (this.#pictures.length <= level) {
      const { scale, ...larger } = this.#pictures.at(-1);
      this.#pictures.push({ ...halved(larger), scale: 2 * scale });
    }
    return this.#pictures[level];
  }
}

/** The tiles that cover a picture of a pyramid, none if its longer side is beyond `longest`. */
function tilesOf([width, height], level, longest) {
  if (Math.max(width, height) > longest) return [];
  const along = (side) => {
    const last = Math.max(Math.ceil((side - SIZE) / STEP), 0);
    // Spread evenly; in a smaller picture there is one, which reaches beyond it.
    return Array.from({ length: last + 1 }, (_, i) => last && Math.round((i * (side - SIZE)) / last));
  };
  return along(height).flatMap((top) => along(width).map((left) => ({ level, left, top })));
}

/** A tile's RGB floats in [0, 255], (128, 128, 3); black beyond the picture. */
function tilePixels({ data, width, height }, { left, top }) {
  const pixels = new Float32Array(SIZE * SIZE * 3);
  const [right, bottom] = [Math.min(SIZE, width - left), Math.min(SIZE, height - top)];
  for (let y = 0; y < bottom; y++) {
    let from = ((top + y) * width + left) * 4;
    let to = y * SIZE * 3;
    for (let x = 0; x < right; x++, from += 4, to += 3) {
      for (let c = 0; c < 3; c++) pixels[to + c] = data[from + c];
    }
  }
  return pixels;
}
