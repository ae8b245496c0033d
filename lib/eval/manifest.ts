import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { invalidArgument } from '../errors.js';
import { writeAtomically } from '../images/write-file.js';
import { type WeightDtype, weightDtypes } from '../options/descriptions.js';
import { readText } from '../util/read-text.js';

/** The file of an image folder that records what its images are. */
export const manifestFile = 'evaluation.json';

const requestSchema = z.object({
  /** SHA-256 of all captions, without a limit. */
  captions: z.string(),
  seed: z.int(),
  options: z.record(z.string(), z.unknown()),
});

const modelSchema = z.object({
  model: z.object({ name: z.string(), sha256: z.string() }),
  dtype: z.enum(weightDtypes),
});

const manifestSchema = z.object({
  format: z.literal(1),
  ...requestSchema.shape,
  ...modelSchema.shape,
});

/** What is requested of the images. */
export type ImageRequest = z.output<typeof requestSchema>;
/** What has generated images. */
export interface ImageModel {
  /** The name of the model, and the SHA-256 of its weights. */
  readonly model: { readonly name: string; readonly sha256: string };
  /** The dtype of its weights. */
  readonly dtype: WeightDtype;
}
export type Manifest = z.output<typeof manifestSchema>;

/**
 * @returns undefined if the folder has none
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it is damaged, or of a newer version
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const file = join(folder, manifestFile);
  if (!existsSync(file)) return undefined;
  const text = await readText(file, { what: 'the record of images', maxBytes: 2 ** 20 });
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const message = `Expected the record of an evaluation in ${file} but it is damaged, or of a newer version. Use another folder, or delete this one to start again`;
    throw invalidArgument(message, { cause });
  }
}

/**
 * Writes the manifest of a new folder. If another process has written one in the meantime, that one counts.
 * @throws {KarloError} ERR_KARLO_WRITE
 */
export async function writeManifest(folder: string, manifest: Manifest): Promise<Manifest> {
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  try {
    await writeAtomically(join(folder, manifestFile), bytes, false);
    return manifest;
  } catch (error) {
    const other = await readManifest(folder);
    if (other === undefined) throw error;
    return other;
  }
}

/**
 * Checks that what is requested, or generates the images, is what the folder has.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, with the first difference
 */
export function requireSame(
  folder: string,
  manifest: Manifest,
  current: Partial<ImageRequest & ImageModel>,
): void {
  const received = flatten(current);
  const recorded = flatten(
    Object.fromEntries(
      Object.keys(current).map((key) => [key, manifest[key as keyof typeof current]]),
    ),
  );
  const names = [...new Set([...recorded.keys(), ...received.keys()])];
  // Equal weights can have several names.
  const changed = names
    .filter((name) => name !== 'model.name')
    .find((name) => recorded.get(name) !== received.get(name));
  if (changed === undefined) return;
  const [expected, actual] = describeChange(changed, { recorded, received });
  const message = `Expected ${expected}, as the images in ${folder} have, but received ${actual}. Use another output folder, or delete that one to start again`;
  throw invalidArgument(message);
}

type Leaves = ReadonlyMap<string, unknown>;

function describeChange(
  name: string,
  { recorded, received }: Record<'recorded' | 'received', Leaves>,
) {
  if (name === 'captions') return ['the captions', 'other ones'];
  if (name !== 'model.sha256') {
    const label = name.replace(/^options\./, '');
    return [`${recorded.get(name) ?? 'no value'} for ${label}`, received.get(name) ?? 'none'];
  }
  const names = [recorded, received].map((leaves) => leaves.get('model.name'));
  return names[0] === names[1] ? [`the weights that ${names[0]} had`, 'other ones'] : names;
}

/** The leaves of a value, by their paths. */
function flatten(value: unknown, path = ''): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) return new Map([[path, value]]);
  const entries = Object.entries(value).flatMap(([key, inner]) => [
    ...flatten(inner, path === '' ? key : `${path}.${key}`),
  ]);
  return new Map(entries);
}
