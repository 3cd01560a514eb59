// How many pixels an image file declares, read from its head before it is decoded, pure.

/**
 * `[width, height]` of the bytes of a JPEG, PNG, WebP, GIF, BMP, AVIF or HEIC file; `null` of
 * any other.
 */
export function imageSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at, length) => String.fromCharCode(...bytes.subarray(at, at + length));
  try {
    if (text(0, 8) === "\x89PNG\r\n\x1a\n") return [view.getUint32(16), view.getUint32(20)];
    if (text(0, 2) === "\xff\xd8") return ofJpeg(view);
    if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") return ofWebp(view, text(12, 4));
    if (text(0, 4) === "GIF8") return [view.getUint16(6, true), view.getUint16(8, true)];
    if (text(0, 2) === "BM") return ofBmp(view);
    if (text(4, 4) === "ftyp") return ofHeif(view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // The file ends before it tells.
  }
  return null;
}

function ofJpeg(view) {
  for (let at = 2; ; ) {
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff) return null;
    if (marker === 0xff) at += 1; // A byte that fills.
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    } else at += 2 + view.getUint16(at + 2);
  }
}

function ofWebp(view, kind) {
  const u24 = (at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  if (kind === "VP8X") return [u24(24) + 1, u24(27) + 1];
  if (kind === "VP8 ") return [26, 28].map((at) => view.getUint16(at, true) & 0x3fff);
  if (kind !== "VP8L") return null;
  const bits = view.getUint32(21, true);
  return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
}

function ofBmp(view) {
  if (view.getUint32(14, true) === 12) return [18, 20].map((at) => view.getUint16(at, true));
  return [18, 22].map((at) => Math.abs(view.getInt32(at, true)));
}

/** The largest of the pictures whose sides the file tells (`ispe`): tiles are smaller. */
function ofHeif(view) {
  let largest = null;
  for (let at = 0; at + 16 <= view.byteLength; at++) {
    if (view.getUint32(at) !== 0x69737065) continue;
    const sides = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (!largest || sides[0] * sides[1] > largest[0] * largest[1]) largest = sides;
  }
  return largest;
}
