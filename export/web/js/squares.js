// Which squares of a picture a model looks at: the centre's, or one for each face.

import { placementOf } from "./placement.js";
import { FaceTracker } from "./tracking.js";

/** Finds the squares of pictures and of frame after frame. */
export class Squares {
  #finder = null;
  #tracker = null;
  #found = new WeakMap(); // The faces of still pictures, which are edited more than once.

  /** `open` gives a finder of faces, see `FaceTracker`; it is asked when the first is needed. */
  constructor(open) {
    this.open = open;
  }

  /** Forgets the faces of the frames so far: the next ones are of another film. */
  forget() {
    this.#tracker = null;
  }

  /**
   * The `Placement`s of a picture's squares, the largest face's first; none without a face.
   *
   * `time` is a live picture's, in seconds; of a still one it is undefined.
   */
  async of(model, picture, time) {
    const { width, height } = picture;
    if (model.framing.kind === "centre") return [placementOf(model.framing, width, height)];
    this.#finder ??= await this.open();
    const faces = await (time === undefined ? this.#still(picture) : this.#live(picture, time));
    return faces.map(({ eyes }) => placementOf(model.framing, width, height, eyes));
  }

  async #still(picture) {
    if (!this.#found.has(picture)) this.#found.set(picture, await this.#finder.search(picture));
    return this.#found.get(picture);
  }

  #live(picture, time) {
    this.#tracker ??= new FaceTracker(this.#finder);
    return this.#tracker.follow(picture, time);
  }
}
