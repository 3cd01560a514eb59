// What a model must offer, pure: the signatures and the framing that `mbu-tf export` writes.

import { PageError } from "./messages.js";

const MEND = "Choose a file that `mbu-tf export MODEL --format tflite` wrote.";

// Channels of every input and output.
const SIGNATURES = {
  transfer: { inputs: { target: 3, reference: 3 }, outputs: { image: 3, mask: 1 } },
  remove: { inputs: { image: 3 }, outputs: { image: 3, mask: 1 } },
  segment: { inputs: { image: 3 }, outputs: { mask: 1, binary: 1 } },
};

// Detail in two steps: what the first makes of the reference, the second takes beside the target.
const PARTS = { reference: "transfer_detail_reference", target: "transfer_detail_target" };

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
 * The names of the two signatures by which a reference is looked at once, `{reference,
 * target}`; `null` if there are none, and `transfer_detail` does it all.
 *
 * Throws `PageError` where they do not fit each other.
 */
export function checkParts(signatures, size) {
  const { [PARTS.reference]: first, [PARTS.target]: second } = signatures;
  if (!first || !second) return null;
  checkTensors(`${PARTS.reference}'s inputs`, { reference: 3 }, first.inputs, size);
  checkTensors(`${PARTS.target}'s outputs`, SIGNATURES.transfer.outputs, second.outputs, size);
  const { target, ...handed } = second.inputs;
  checkTensors(`${PARTS.target}'s inputs`, { target: 3 }, target ? { target } : {}, size);
  const told = (tensors) => JSON.stringify(Object.entries(tensors).sort());
  if (told(handed) !== told(first.outputs)) {
    throw new PageError(
      `${PARTS.target} must take what ${PARTS.reference} gives. ${MEND} ` +
        `Received: ${told(handed)} and ${told(first.outputs)}`,
    );
  }
  return PARTS;
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
