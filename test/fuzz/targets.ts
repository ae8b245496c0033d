import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseWeights } from '../../lib/weights/index.js';
import { namedTensors, parseTorchArchive } from '../../lib/weights/pickle/torch-archive.js';
import { unpickle } from '../../lib/weights/pickle/unpickle.js';
import { parseSafetensors } from '../../lib/weights/safetensors/read.js';
import { parseIndex } from '../../lib/weights/sharded.js';
import { bufferSource } from '../../lib/weights/source.js';
import type { WeightFile } from '../../lib/weights/types.js';
import { openZip, readRecord } from '../../lib/weights/zip.js';
import { safetensors, tensor } from '../fixtures/safetensors.js';
import { zip } from '../fixtures/torch-writer.js';

/** A reader to fuzz, and valid inputs to mutate. */
export interface Target {
  name: string;
  seeds: Buffer[];
  /** Returns the tensors, if the reader has any. Throws only `KarloError`. */
  run(bytes: Buffer): Promise<WeightFile | undefined>;
}

const file = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../fixtures/torch/${name}`, import.meta.url)));

const archives = [
  'views.bin',
  'views-protocol4.bin',
  'pair.th',
  'lightning.ckpt',
  'training.ckpt',
  'module.pt',
].map(file);

async function pickles(): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for (const bytes of archives) {
    const archive = await openZip(bufferSource('seed', bytes));
    for (const [name, record] of archive.records) {
      if (name.endsWith('/data.pkl')) found.push(await readRecord(archive, record, 1e6));
    }
  }
  return found;
}

function headers(): Buffer[] {
  const plain = { a: tensor('F32', [2, 3], 0, 24), b: tensor('BF16', [4], 24, 32) };
  const unusual =
    '{"a\\u0041é":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"__metadata__":{"a":"b"}}';
  return [
    safetensors(plain, 32),
    safetensors(unusual, 1),
    safetensors({ ...plain, __metadata__: {} }, 32),
  ];
}

/** All readers. */
export async function targets(): Promise<Target[]> {
  const inner = await pickles();
  const rezipped = await Promise.all(
    inner.map((pickle) =>
      zip([
        ['m/data.pkl', pickle],
        ['m/data/0', Buffer.alloc(96)],
      ]),
    ),
  );
  const index = Buffer.from(
    '{"metadata":{"n":[1,2.5e3,null]},"weight_map":{"a":"m-1.bin","b":"m-2.bin"}}',
  );
  return [
    {
      name: 'safetensors',
      seeds: headers(),
      run: (bytes) => parseSafetensors(bufferSource('fuzz', bytes)),
    },
    {
      name: 'pickle',
      seeds: inner,
      run: async (bytes) => void namedTensors(unpickle(bytes, 'fuzz'), 'fuzz'),
    },
    {
      name: 'archive',
      seeds: [...archives, ...rezipped],
      run: (bytes) => parseTorchArchive(bufferSource('fuzz', bytes)),
    },
    {
      name: 'any',
      seeds: [...archives, ...headers()],
      run: (bytes) => parseWeights(bufferSource('fuzz', bytes)),
    },
    { name: 'index', seeds: [index], run: async (bytes) => void parseIndex(bytes, 'fuzz') },
  ];
}
