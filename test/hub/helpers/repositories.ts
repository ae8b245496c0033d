import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files of a small repository, by path. */
export type Files = Record<string, Buffer>;

export const base = 'kakaobrain/karlo-v1-alpha';
export const variations = `${base}-image-variations`;

/** Pseudorandom bytes that depend only on `seed`. */
export function bytesOf(seed: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) {
    blocks.push(createHash('sha256').update(`${seed} ${i}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function component(name: string, file: string, size = 40_000): Files {
  return {
    [`${name}/config.json`]: Buffer.from(`{"of": "${name}"}`),
    [`${name}/${file}.safetensors`]: bytesOf(name, size),
    [`${name}/${file}.bin`]: bytesOf(`${name} pickled`, size),
  };
}

const diffusion = 'diffusion_pytorch_model';
const shared: Files = {
  ...component('decoder', diffusion, 200_000),
  ...component('text_proj', diffusion),
  ...component('super_res_first', diffusion),
  ...component('super_res_last', diffusion),
  ...component('text_encoder', 'model'),
  'tokenizer/vocab.json': bytesOf('vocabulary', 3000),
  'tokenizer/merges.txt': Buffer.from('#version: 0.2\n'),
  'tokenizer/tokenizer_config.json': Buffer.from('{}'),
  'decoder_scheduler/scheduler_config.json': Buffer.from('{"decoder": 1}'),
  'super_res_scheduler/scheduler_config.json': Buffer.from('{"super_res": 1}'),
};

/** A text-to-image repository, including files that a pull skips. */
export const textToImage: Files = {
  '.gitattributes': Buffer.from('*.bin filter=lfs'),
  'README.md': Buffer.from('# Karlo'),
  'model_index.json': Buffer.from('{"_class_name": "UnCLIPPipeline"}'),
  ...shared,
  ...component('prior', diffusion, 150_000),
  'decoder/diffusion_pytorch_model.fp16.safetensors': bytesOf('decoder, fp16', 100_000),
  'prior_scheduler/scheduler_config.json': Buffer.from('{"prior": 1}'),
};

/** The image-variation repository of the same model. */
export const imageVariation: Files = {
  'model_index.json': Buffer.from('{"_class_name": "UnCLIPImageVariationPipeline"}'),
  ...shared,
  ...component('image_encoder', 'model', 90_000),
  'feature_extractor/preprocessor_config.json': Buffer.from('{"size": 224}'),
};

/** The files of a repository that a pull downloads. */
export function pulledFiles(files: Files): Files {
  const unwanted = /^\.|README|\.bin$|\.fp16\./;
  return Object.fromEntries(Object.entries(files).filter(([path]) => !unwanted.test(path)));
}

export function totalOf(files: Files): number {
  return Object.values(files).reduce((sum, { length }) => sum + length, 0);
}

const builtIn = 'models/karlo-tiny';

/** The files of the built-in model whose paths do not match `without`. */
export function builtInFiles(without: RegExp): Files {
  const paths = readdirSync(builtIn, { recursive: true, encoding: 'utf8' });
  const files = paths.filter(
    (path) => statSync(join(builtIn, path)).isFile() && !without.test(path),
  );
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(builtIn, path))]));
}

/** A safety checker with small random weights, as safetensors and as a pickle. */
export function checkerFiles(): Files {
  const folder = 'test/fixtures/safety';
  const names = readdirSync(folder).filter((name) => name !== 'verdicts.json');
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
}
