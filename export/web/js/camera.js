// Where pictures come from: the camera, video and picture files.

import { imageSize } from "./image_size.js";
import { PageError } from "./messages.js";
import { onWhite } from "./photo_edit.js";

// A file's few bytes may declare any number of pixels: more are not decoded.
const MAX_PIXELS = 50e6;

const CAMERA_ERRORS = {
  NotFoundError: "There is no camera. Connect one, or choose a file or a sample face.",
  NotAllowedError:
    "The camera may not be used. Allow it in the browser's site settings and try again, " +
    "or choose a file or a sample face.",
  NotReadableError:
    "The camera is in use elsewhere or does not answer. Close what uses it and try again.",
  OverconstrainedError: "The camera offers no picture that fits. Choose a file or a sample face.",
};

/**
 * The camera as a source: `{live: true, frame(), close()}`.
 *
 * Throws `PageError` for a page that may not ask, no camera, and a refusal.
 */
export async function openCamera() {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new PageError(
      "The camera needs a secure page: open it through https:// or as localhost " +
        "(README.md says how, on a phone too). Files and sample faces work here.",
    );
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } },
      audio: false,
    });
  } catch (error) {
    throw new PageError(CAMERA_ERRORS[error.name] ?? `The camera failed: ${error.message}`);
  }
  const video = newVideo();
  video.srcObject = stream;
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  const source = await playing(video, stop);
  const frame = () => {
    if (stream.active) return source.frame();
    throw new PageError("The camera has stopped. Connect it and press Camera again.");
  };
  return { ...source, frame, mirrored: true };
}

/** A picture or video file as a source. */
export async function openFile(file) {
  if (!file.type.startsWith("video/")) return still(await readPicture(file, file.name));
  const video = newVideo();
  video.loop = true;
  video.src = URL.createObjectURL(file);
  return playing(video, () => URL.revokeObjectURL(video.src));
}

/** The picture at `url` as a source. */
export async function openSample(url) {
  return still(await fetchPicture(url));
}

/** The picture at `url` as `{data, width, height}`. */
export async function fetchPicture(url) {
  const response = await fetch(url);
  if (!response.ok) throw new PageError(`There is no picture ${url} (${response.status}).`);
  return readPicture(await response.blob(), url);
}

/**
 * A picture file as `{data, width, height}`, upright, in sRGB, transparency laid on white.
 *
 * Of one that is partly transparent `own` are its RGBA bytes as they are.
 */
export async function readPicture(blob, name) {
  const sides = imageSize(new Uint8Array(await blob.arrayBuffer()));
  if (!sides) throw unreadable(name);
  const [width, height] = sides;
  if (width * height > MAX_PIXELS) {
    throw new PageError(
      `${name} has over ${MAX_PIXELS / 1e6} megapixels. Shrink it. ` +
        `Received: ${width} x ${height} pixels`,
    );
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw unreadable(name);
  }
  try {
    return onWhite(new FrameReader().read(bitmap, bitmap.width, bitmap.height));
  } catch (error) {
    throw new PageError(
      `${name} is too large for this browser. Choose a smaller picture. ` +
        `Received: ${bitmap.width} x ${bitmap.height} pixels (${error.message})`,
    );
  } finally {
    bitmap.close();
  }
}

function unreadable(name) {
  return new PageError(
    `${name} is no picture that this browser reads, or damaged. Choose a JPEG or PNG.`,
  );
}

function still(picture) {
  return { live: false, mirrored: false, frame: () => picture, close() {} };
}

function newVideo() {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true; // iOS opens its own player otherwise.
  return video;
}

async function playing(video, release) {
  const close = () => {
    video.pause();
    release();
  };
  try {
    await video.play();
  } catch (error) {
    close();
    throw new PageError(`The video cannot be played here. Received: ${error.message}`);
  }
  const reader = new FrameReader();
  const frame = () =>
    video.videoWidth ? reader.read(video, video.videoWidth, video.videoHeight) : null;
  return { live: true, mirrored: false, frame, close };
}

/** Reads the pixels of what a canvas can draw, in sRGB. */
class FrameReader {
  #canvas = document.createElement("canvas");

  read(source, width, height) {
    const context = this.#canvas.getContext("2d", { willReadFrequently: true });
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    context.clearRect(0, 0, width, height);
    context.drawImage(source, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }
}
