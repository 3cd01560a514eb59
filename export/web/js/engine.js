// LiteRT.js: starts it, opens models, runs their signatures by name.

import { PageError } from "./messages.js";
import { checkMetadata, checkModel, checkParts } from "./contract.js";
import { FaceFinder } from "./faces.js";
import { metadataOf, withFirstSignatures } from "./metadata.js";

const WASM_FOLDER = new URL("../node_modules/@litertjs/core/wasm/", import.meta.url).href;

// Signatures at the model's own size, the first in a file.
const PLAIN = 3;

// A function that splats a byte over 128 bits.
const SIMD_MODULE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 8, 1, 6, 0, 65, 0, 253, 15, 11],
);

/** Threads that this page can use: above 1 only with the headers of `serve.py`. */
export function possibleThreads() {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, 4) : 1;
}

/**
 * LiteRT, ready for `openModel`: `{litert, threads}`, at most as many as asked for.
 *
 * Throws `PageError` where WebAssembly, its SIMD instructions or LiteRT's files
 * are missing.
 */
export async function startEngine(threads) {
  if (!globalThis.WebAssembly) {
    throw new PageError("This browser has no WebAssembly. Use a current browser.");
  }
  if (!WebAssembly.validate(SIMD_MODULE)) {
    throw new PageError(
      "This browser lacks WebAssembly's SIMD instructions. Update it: Chrome 91, Firefox 89 " +
        "and Safari 16.4 are the first with them.",
    );
  }
  try {
    const litert = await import("@litertjs/core");
    return { litert, threads: await load(litert, threads) };
  } catch (error) {
    throw new PageError(
      "LiteRT.js could not be started. Run `npm ci` in export/web and reload. " +
        `Received: ${error?.message ?? "a file that could not be loaded"}`,
    );
  }
}

async function load(litert, threads) {
  if (threads > 1) {
    try {
      await litert.loadLiteRt(WASM_FOLDER, { threads: true });
      return threads;
    } catch (error) {
      // They need instructions that not every browser has; one thread will do.
      console.warn("No threads:", error);
    }
  }
  await litert.loadLiteRt(WASM_FOLDER);
  return 1;
}

/**
 * A model of the contract, from the bytes of a .tflite file.
 *
 * Throws `PageError` if it is no such file, or its signatures or framing are others.
 */
export async function openModel(engine, bytes) {
  const network = await Network.open(engine, bytes);
  try {
    const sides = checkModel(network.signatures);
    const parts = checkParts(network.signatures, sides.detailSize);
    return new Model(network, sides, parts, checkMetadata(metadataOf(bytes)));
  } catch (error) {
    network.close();
    throw error;
  }
}

/**
 * The same, but at first without the signatures of detail, which take longest to open: its
 * `whole` opens the model with them; `null` if it has none.
 *
 * Throws as `openModel`, which it does for files of another order of signatures.
 */
export async function openQuickly(engine, bytes) {
  const whole = () => openModel(engine, bytes);
  try {
    if (!metadataOf(bytes).detail_size) return await whole();
    const model = await openModel(engine, withFirstSignatures(bytes, PLAIN));
    return Object.assign(model, { whole });
  } catch {
    return whole();
  }
}

/** A finder of faces, from the bytes of `models/faces.tflite`; throws as `openModel`. */
export async function openFinder(engine, bytes) {
  const network = await Network.open(engine, bytes);
  return new FaceFinder((pictures) => network.run("find", { pictures }));
}

/**
 * A model of the contract: `size` is the side of its pictures, `detailSize` that of those
 * which it edits as sharply as they are, `null` if it cannot; `framing`: see metadata.js.
 */
class Model {
  /** Opens it with its signatures of detail, if it is open without them. */
  whole = null;
  #network;
  #parts;

  constructor(network, { size, detailSize }, parts, { framing }) {
    Object.assign(this, { size, detailSize, framing });
    this.#network = network;
    this.#parts = parts;
  }

  /**
   * What `edit` takes of a reference, float32 (1, side, side, 3), for target after target;
   * whoever is done with it gives it to `release`.
   */
  async prepare(reference, side) {
    if (side === this.size || !this.#parts) return { reference };
    return this.#network.tensors(this.#parts.reference, { reference });
  }

  release(prepared) {
    Object.values(prepared).forEach((tensor) => tensor.delete?.());
  }

  /**
   * What "transfer", "remove" or "segment" makes of a picture of one of the sizes, float32
   * (1, side, side, 3); `reference` is what `prepare` gave at that size, for "transfer" alone.
   *
   * `{image, mask}`, masks (1, side, side, 1); of "segment" `{mask, binary}`, the soft mask
   * and the one cut at the stored threshold.
   */
  edit(mode, side, picture, reference) {
    const name = side === this.size ? mode : `${mode}_detail`;
    if (mode !== "transfer") return this.#network.run(name, { image: picture });
    const inParts = this.#parts && side !== this.size;
    return this.#network.run(inParts ? this.#parts.target : name, { target: picture, ...reference });
  }

  close() {
    this.#network.close();
  }
}

/** A .tflite file as LiteRT runs it, by the names of its signatures, inputs and outputs. */
class Network {
  #litert;
  #compiled;

  constructor(litert, compiled) {
    this.#litert = litert;
    this.#compiled = compiled;
    const tensors = (details) =>
      Object.fromEntries(details.map((d) => [d.name, { dtype: d.dtype, shape: [...d.shape] }]));
    /** `{name: {inputs: {name: {dtype, shape}}, outputs: …}}`. */
    this.signatures = mapValues(compiled.signatures, (runner) => ({
      inputs: tensors(runner.getInputDetails()),
      outputs: tensors(runner.getOutputDetails()),
    }));
  }

  static async open({ litert, threads }, bytes) {
    // LiteRT's own complaint about other files is about a buffer.
    if (String.fromCharCode(...bytes.subarray(4, 8)) !== "TFL3") {
      throw new PageError(
        "This is no TFLite file. Choose one that `mbu-tf export MODEL --format tflite` wrote. " +
          `Received: ${bytes.length} bytes that begin otherwise`,
      );
    }
    try {
      const options = { accelerator: "wasm", cpuOptions: { numThreads: threads } };
      return new Network(litert, await litert.loadAndCompile(bytes, options));
    } catch (error) {
      throw new PageError(
        "LiteRT.js cannot run this model. Export it with `mbu-tf export MODEL --format tflite`. " +
          `Received: ${error?.message ?? error}`,
      );
    }
  }

  /** The outputs of one signature by name, as typed arrays, of arrays or tensors by name. */
  async run(signature, given) {
    const outputs = await this.tensors(signature, given);
    try {
      return mapValues(outputs, (tensor) => tensor.toTypedArray());
    } finally {
      Object.values(outputs).forEach((tensor) => tensor.delete());
    }
  }

  /** The same as LiteRT's tensors, which it frees when their `delete` is called, not before. */
  async tensors(signature, given) {
    const { inputs } = this.signatures[signature];
    const made = [];
    const tensor = (value, name) => {
      if (!ArrayBuffer.isView(value)) return value;
      made.push(new this.#litert.Tensor(value, inputs[name].shape));
      return made.at(-1);
    };
    try {
      return await this.#compiled.run(signature, mapValues(given, tensor));
    } finally {
      made.forEach((each) => each.delete());
    }
  }

  close() {
    this.#compiled.delete();
  }
}

function mapValues(object, change) {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, change(value, name)]),
  );
}
