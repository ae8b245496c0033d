import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = new URL('../../dist/lib/', import.meta.url);
/** @type {typeof import('../../lib/networks/registry.js')} */
const { COMPONENTS, definitionOf, parseConfig } = await import(`${built}networks/registry.js`);
/** @type {typeof import('../../lib/weights/safetensors/write.js')} */
const { writeSafetensors } = await import(`${built}weights/safetensors/write.js`);

const bytesPerValue = 2;
/** This many random values are repeated, which makes no kernel faster. */
const table = bfloat16(Float32Array.from({ length: 1 << 22 }, () => (Math.random() - 0.5) / 15));
const one = bfloat16(new Float32Array(1 << 16).fill(1));

/**
 * bfloat16 is the upper half of a float32 value's bits.
 * @param {Float32Array} values
 */
function bfloat16(values) {
  const bits = new Uint32Array(values.buffer);
  return new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer);
}

/**
 * @param {number} byteLength
 * @param {Uint8Array} source
 */
function* repeated(byteLength, source) {
  for (let at = 0; at < byteLength; at += source.length) {
    yield source.subarray(0, Math.min(source.length, byteLength - at));
  }
}

/**
 * Writes a full-size model with random bfloat16 weights (7.5 GB), in the Hugging Face layout.
 * @param {string} folder
 * @param {AbortSignal} [signal]
 */
export async function writeFullSize(folder, signal) {
  const json = await readFile(new URL('configs.json', import.meta.url), 'utf8');
  /** @type {Record<string, object>} */
  const files = JSON.parse(json);
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(content, null, 1));
  }
  const tokenizer = fileURLToPath(new URL('../../models/karlo-tiny/tokenizer', import.meta.url));
  cpSync(tokenizer, join(folder, 'tokenizer'), { recursive: true });
  for (const component of COMPONENTS) {
    await writeNetwork(folder, component, files, signal);
  }
}

/**
 * @param {string} folder
 * @param {import('../../lib/networks/registry.js').ComponentName} component
 * @param {Record<string, object>} files
 * @param {AbortSignal} [signal]
 */
async function writeNetwork(folder, component, files, signal) {
  const { library, ...definition } = definitionOf(component);
  const config = parseConfig(component, files[`${component}/config.json`], component);
  const tensors = randomTensors(definition.shapes(config));
  const file =
    library === 'transformers' ? 'model.safetensors' : 'diffusion_pytorch_model.safetensors';
  // transformers rejects files without this metadata.
  const options = { metadata: { format: 'pt' }, ...(signal && { signal }) };
  await writeSafetensors(join(folder, component, file), tensors, options);
}

/**
 * Random bfloat16 tensors.
 * @param {Iterable<readonly [string, readonly number[]]>} shapes
 */
function randomTensors(shapes) {
  return [...shapes].map(([name, shape]) => {
    const byteLength = bytesPerValue * shape.reduce((product, size) => product * size, 1);
    // The scales of norms are 1; all other weights are small.
    const source = /norm.*weight$|clip_std$/.test(name) ? one : table;
    return {
      ...{ name, shape, dtype: /** @type {const} */ ('bfloat16') },
      chunks: () => repeated(byteLength, source),
    };
  });
}

/**
 * Writes a safety checker of the published size with random bfloat16 weights (0.6 GB).
 * @param {string} folder
 */
export async function writeFullSizeChecker(folder) {
  const files = JSON.parse(await readFile(new URL('configs.json', import.meta.url), 'utf8'));
  const vision = files['image_encoder/config.json'];
  const { projection_dim } = vision;
  mkdirSync(folder, { recursive: true });
  const config = {
    architectures: ['StableDiffusionSafetyChecker'],
    ...{ model_type: 'clip', projection_dim, vision_config: vision },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 1));
  const encoder = definitionOf('image_encoder').shapes(
    parseConfig('image_encoder', vision, 'image_encoder'),
  );
  /** @type {[string, readonly number[]][]} */
  const shapes = [...encoder].map(([name, shape]) => [
    name.replace(/^vision_model/, 'vision_model.vision_model'),
    shape,
  ]);
  for (const [name, count] of /** @type {const} */ ([
    ['concept_embeds', 17],
    ['special_care_embeds', 3],
  ])) {
    shapes.push([name, [count, projection_dim]], [`${name}_weights`, [count]]);
  }
  const options = { metadata: { format: 'pt' } };
  await writeSafetensors(join(folder, 'model.safetensors'), randomTensors(shapes), options);
}
