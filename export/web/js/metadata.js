// What an exported model tells of itself beside its signatures, pure.
//
// A .tflite file may carry files in a ZIP archive behind the model, as TFLite's
// metadata has it; `mbu-tf export` puts `mbu_tf.json` there, stored.

const NAME = "mbu_tf.json";
const [END, ENTRY] = [0x06054b50, 0x02014b50];
// Places of these in the schema of a TFLite model.
const [SUBGRAPHS, SIGNATURES] = [2, 7];
// The record at an archive's end is so long, and a comment may follow.
const [END_LENGTH, LONGEST_COMMENT] = [22, 0xffff];

/**
 * `{image_size, framing, …}` of the bytes of a .tflite file.
 *
 * `framing` is `{kind: "centre"}`, also where the file tells none, or `{kind: "face",
 * left_eye: [u, v], right_eye: [u, v]}`, in shares of the square's side.
 */
export function metadataOf(bytes) {
  const text = storedFile(bytes, NAME);
  return { framing: { kind: "centre" }, ...(text && JSON.parse(new TextDecoder().decode(text))) };
}

/**
 * The bytes of a .tflite file with its first signatures alone, so many, for a quick start.
 *
 * The others' weights stay, but nothing reads them: of the FlatBuffer two vectors, subgraphs
 * and signatures, are made shorter. `mbu-tf export` gives both the same order.
 */
export function withFirstSignatures(bytes, count) {
  const shorter = bytes.slice();
  const view = new DataView(shorter.buffer);
  const model = view.getUint32(0, true);
  const fields = model - view.getInt32(model, true);
  for (const field of [SUBGRAPHS, SIGNATURES]) {
    const at = model + view.getUint16(fields + 4 + 2 * field, true);
    const vector = at + view.getUint32(at, true);
    view.setUint32(vector, Math.min(count, view.getUint32(vector, true)), true);
  }
  return shorter;
}

/** The bytes of a file in the archive at the end of `bytes`; `null` if there is none. */
function storedFile(bytes, name) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at) => view.getUint16(at, true);
  const u32 = (at) => view.getUint32(at, true);
  const last = bytes.length - END_LENGTH;
  let end = last;
  // The record ends with the length of the comment behind it.
  while (end >= 0 && !(u32(end) === END && u16(end + 20) === last - end)) {
    if (last - end-- > LONGEST_COMMENT) return null;
  }
  if (end < 0) return null;
  let at = u32(end + 16);
  for (let left = u16(end + 10); left > 0 && u32(at) === ENTRY; left--) {
    const [nameLength, stored] = [u16(at + 28), u16(at + 10) === 0];
    if (stored && new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)) === name) {
      const local = u32(at + 42);
      const start = local + 30 + u16(local + 26) + u16(local + 28);
      return bytes.subarray(start, start + u32(at + 24));
    }
    at += 46 + nameLength + u16(at + 30) + u16(at + 32);
  }
  return null;
}
