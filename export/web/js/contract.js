// What a model must offer, pure: the signatures and the framing that `mbu-tf export` writes.

import { PageError } from "./messages.js";

const MEND = "Choose a file that `mbu-tf export MODEL --format tflite` wrote.";

// Channels of every input and output.
const SIGNATURES = {
  transfer: { inputs: { target: 3, reference: 3 }, outputs: { image: 3, mask: 1 } },
  remove: { inputs: { image: 3 }, outputs: { image: 3, mask: 1 } },
  segment: { inputs: { image: 3 }, outputs: { mask: 1, binary: 1 } },
};

/**
 * The sides of a model's pictures, of `{signature: {inputs: {name: {dtype, shape}}, outputs}}`.
 *
 * Returns `{size, detailSize}`: the model's own, and that of the signatures whose names end
 * in `_detail`, `null` if it has none. Throws `PageError` that names the first thing that
 * differs from the contract.
 */
export function checkModel(signatures) {
  const detailed = "transfer_detail" in signatures;
  return {
    size: checkSignatures(signatures, ""),
    detailSize: detailed ? checkSignatures(signatures, "_detail") : null,
  };
}

function checkSignatures(signatures, ending) {
  const names = Object.keys(SIGNATURES).map((name) => name + ending);
  const missing = names.filter((name) => !(name in signatures));
  if (missing.length) {
    throw new PageError(
      `This model lacks the signature ${missing.join(", ")}. ${MEND} ` +
        `Received: ${Object.keys(signatures).join(", ") || "none"}`,
    );
  }
  const size = signatures[`transfer${ending}`].inputs.target?.shape[1];
  for (const [name, sides] of Object.entries(SIGNATURES)) {
    for (const side of ["inputs", "outputs"]) {
      const where = `${name}${ending}'s ${side}`;
      checkTensors(where, sides[side], signatures[name + ending][side], size);
    }
  }
  return size;
}

/**
 * What a model tells of itself, if it is framed as this page can frame it.
 *
 * Throws `PageError` for another framing.
 */
export function checkMetadata(metadata) {
  const { kind, left_eye, right_eye } = metadata.framing;
  const isPoint = (eye) => Array.isArray(eye) && eye.length === 2 && eye.every(Number.isFinite);
  const faces = kind === "face" && isPoint(left_eye) && isPoint(right_eye);
  if (faces ? left_eye[0] < right_eye[0] : kind === "centre") return metadata;
  throw new PageError(
    "This model's framing is neither the centre square nor a face with two eyes. " +
      `${MEND} Received: ${JSON.stringify(metadata.framing)}`,
  );
}

function checkTensors(where, expected, received, size) {
  if (Object.keys(expected).sort().join() !== Object.keys(received).sort().join()) {
    throw new PageError(
      `${where} must be named ${Object.keys(expected).join(", ")}. ${MEND} ` +
        `Received: ${Object.keys(received).join(", ") || "none"}`,
    );
  }
  for (const [name, channels] of Object.entries(expected)) {
    const { dtype, shape } = received[name];
    const right = [1, size, size, channels];
    if (dtype !== "float32" || !(size > 0) || shape.join() !== right.join()) {
      throw new PageError(
        `${where}: ${name} must be float32 (${right.join(", ")}). ${MEND} ` +
          `Received: ${dtype} (${shape.join(", ")})`,
      );
    }
  }
}
