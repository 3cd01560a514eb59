// Calls one function of a module of export/web/js: `node call_js.mjs MODULE FUNCTION`, or
// the method `CLASS.METHOD` of its first argument. Arguments come as JSON on standard input,
// the result, or the first argument of a function that changes it in place, goes as JSON to
// standard output. Typed arrays are `{"Float32Array": [...]}`, placements
// `{"Placement": [x, y, right, down]}`.

import { readFileSync } from "node:fs";

const [module, name] = process.argv.slice(2);
const load = (file) => import(new URL(`../../export/web/js/${file}.js`, import.meta.url));
const { Placement } = await load("placement");
const KINDS = {
  Uint8Array: (values) => Uint8Array.from(values),
  Uint8ClampedArray: (values) => Uint8ClampedArray.from(values),
  Float32Array: (values) => Float32Array.from(values),
  Placement: (values) => new Placement(...values),
};

const received = JSON.parse(readFileSync(0, "utf8"), (_, value) => {
  const keys = value && typeof value === "object" ? Object.keys(value) : [];
  return keys.length === 1 && keys[0] in KINDS ? KINDS[keys[0]](value[keys[0]]) : value;
});
const [owner, method] = name.split(".");
const found = (await load(module))[owner];
try {
  const made = method
    ? found.prototype[method].apply(received[0], received.slice(1))
    : found(...received);
  const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
  process.stdout.write(JSON.stringify({ result: made === undefined ? received[0] : made }, plain));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: error.message }));
}
