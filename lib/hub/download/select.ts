import { missingFiles } from '../../layouts/huggingface/missing-files.js';
import { chooseWeights } from '../../layouts/huggingface/weight-files.js';
import { SCHEDULERS } from '../../layouts/scheduler-config.js';
import { COMPONENTS, type ComponentName, type Task } from '../../networks/registry.js';
import type { RemoteFile } from './download.js';
import { downloadError } from './failure.js';

const tokenizerFile =
  /^tokenizer\/(?:vocab\.json|merges\.txt|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json)$/;
/** A file name without path separators of any system. */
const plainName = /^[A-Za-z0-9_][\w.=+-]*$/;
const shardNumber = /-\d{5}-of-(\d{5})(?=\.)/;

/**
 * Selects the files of a repository that this package reads. Only known names are selected, so that a
 * repository cannot write to other paths.
 * @param variant preferred weights, e.g. `fp16`; by default those without a variant
 * @throws {KarloError} ERR_KARLO_DOWNLOAD if there are no weights of that variant, or shards are missing
 */
export function selectFiles(
  name: string,
  listed: readonly RemoteFile[],
  variant?: string,
): RemoteFile[] {
  const selected = new Set(['model_index.json', 'feature_extractor/preprocessor_config.json']);
  for (const scheduler of SCHEDULERS) selected.add(`${scheduler}/scheduler_config.json`);
  const weights = COMPONENTS.flatMap((component) => weightsOf(name, component, listed, variant));
  if (variant !== undefined && !weights.some((path) => path.includes(`.${variant}`))) {
    throw downloadError(`${name} has no weights of the variant ${variant}: omit --variant`);
  }
  for (const path of weights) selected.add(path);
  for (const component of COMPONENTS) selected.add(`${component}/config.json`);
  return listed.filter(({ path }) => selected.has(path) || tokenizerFile.test(path));
}

function weightsOf(
  name: string,
  component: ComponentName,
  listed: readonly RemoteFile[],
  variant: string | undefined,
): string[] {
  const names = namesIn(component, listed);
  const choice = chooseWeights(component, names, variant);
  if (choice === undefined) return [];
  const path = (file: string) => `${component}/${file}`;
  if (!choice.sharded) return [path(choice.file)];
  const extension = choice.format === 'safetensors' ? '.safetensors' : '.bin';
  const marker = choice.variant === undefined ? undefined : `.${choice.variant}`;
  const shards = names.filter(
    (file) =>
      shardNumber.test(file) &&
      file.endsWith(extension) &&
      /\.\w+(?=[-.]|$)/.exec(file.slice(0, -extension.length))?.[0] === marker,
  );
  const count = Number(shardNumber.exec(shards[0] ?? '')?.[1]);
  if (shards.length === count) return [choice.file, ...shards].map(path);
  throw downloadError(`${name} is incomplete: shards of ${path(choice.file)} are missing`);
}

function namesIn(folder: string, listed: readonly RemoteFile[]): string[] {
  const start = `${folder}/`;
  const within = listed.filter(({ path }) => path.startsWith(start));
  return within.map(({ path }) => path.slice(start.length)).filter((name) => plainName.test(name));
}

/** What a safety checker is loaded from. */
const checkerConfigs = ['config.json', 'preprocessor_config.json'];

/**
 * Selects the files of a safety checker, which are not in subfolders.
 * @param variant as in `selectFiles`
 * @returns undefined if the repository cannot be one
 */
export function selectCheckerFiles(
  listed: readonly RemoteFile[],
  variant?: string,
): RemoteFile[] | undefined {
  const names = listed.map(({ path }) => path).filter((path) => plainName.test(path));
  const weights = chooseWeights('image_encoder', names, variant);
  if (names.includes('model_index.json') || !names.includes('config.json')) return undefined;
  if (weights === undefined || weights.sharded) return undefined;
  const selected = [...checkerConfigs, weights.file];
  return listed.filter(({ path }) => selected.includes(path));
}

/** The files that a task needs and a repository does not have. */
export function missingInRepository(task: Task, files: readonly RemoteFile[]): string[] {
  return missingFiles(task, (folder) => namesIn(folder, files));
}
