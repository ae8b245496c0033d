import { existsSync, statSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import type { Command } from 'commander';
import { invalidArgument } from '../../errors.js';
import { findModel } from '../../hub/store/resolve.js';
import { formatOfFile } from '../../images/formats.js';
import { readRecipe } from '../../images/read-recipe.js';
import type { Recipe } from '../../images/recipe.js';
import { type Inspection, inspectModel } from '../../layouts/index.js';
import { describeBuild } from '../../libtorch/folder.js';
import { type OptionTable, taskOptions } from '../../options/descriptions.js';
import type { StageOptions } from '../../options/types.generated.js';
import { devices } from '../../torch/device.js';
import { version as torchVersion } from '../../torch/load.js';
import { splitCase } from '../../util/case.js';
import { defaultThreads } from '../../util/processors.js';
import { failureJson, failureText } from '../failure.js';
import { formatRows } from '../terminal/format.js';

/** `karlo info [PATH…]`: what is installed, what a model folder contains, or how an image was generated. */
export function addInfo(program: Command, version: string): void {
  program
    .command('info')
    .description('show the installation, the contents of a model, or the recipe of an image')
    .argument('[path...]', 'models (name or folder) or image files (default: the installation)')
    .option('--json', 'print one JSON object, or for several paths an array of them')
    .addHelpText(
      'after',
      `
Examples:
  karlo info
  karlo info karlo-tiny
  karlo "a red heart" --output heart.png
  karlo info heart.png
  karlo info karlo-tiny heart.png`,
    )
    .action(async (paths: string[], { json = false }: { json?: boolean }) => {
      if (paths.length > 1) await showAll(paths, json);
      else print(await infoOf(paths[0], version), json);
    });
}

/** What is known about something, as an object and as text. */
interface Info {
  readonly json: object;
  readonly text: string;
}

async function infoOf(path: string | undefined, version: string): Promise<Info> {
  if (path !== undefined) return infoAt(path);
  const installed = installation(version);
  return { json: installed, text: describeInstallation(installed) };
}

async function infoAt(path: string): Promise<Info> {
  const isImage = existsSync(path) ? statSync(path).isFile() : formatOfFile(path) !== undefined;
  if (isImage) {
    const recipe = await recipeIn(path);
    return { json: recipe, text: describeRecipe(recipe) };
  }
  const { folder } = await findModel(path);
  const inspection = await inspectModel(folder);
  return { json: inspection, text: describeModel(inspection) };
}

function print({ json, text }: Info, asJson: boolean): void {
  console.log(asJson ? JSON.stringify(json, null, 2) : text);
}

/** Shows several models or images. One that cannot be read does not hide the others, but fails the command. */
async function showAll(paths: readonly string[], asJson: boolean): Promise<void> {
  const all: object[] = [];
  for (const path of paths) {
    try {
      const { json, text } = await infoAt(path);
      all.push({ path, ...json });
      if (!asJson) console.log(`${all.length > 1 ? '\n' : ''}${path}\n${text}`);
    } catch (error) {
      all.push({ path, error: failureJson(error) });
      console.error(failureText(error));
      process.exitCode = 1;
    }
  }
  if (asJson) console.log(JSON.stringify(all, null, 2));
}

function installation(version: string) {
  const { libtorch, build, cuda, folder, source, cpuCapability, kernels } = torchVersion();
  const { threads, reason: threadsReason } = defaultThreads();
  return {
    karlo: version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    libtorch: { version: libtorch, build, cuda, folder, source },
    devices: devices(),
    threads,
    threadsReason,
    cpuCapability,
    kernels,
    memory: { total: totalmem(), free: freemem() },
  };
}

function describeInstallation(installed: ReturnType<typeof installation>): string {
  const { libtorch, memory } = installed;
  return formatRows([
    ['karlo', installed.karlo],
    ['Node', `${installed.node} on ${installed.platform}`],
    ['LibTorch', `${describeBuild(libtorch)} from ${libtorch.source}: ${libtorch.folder}`],
    ...installed.devices.map(
      ({ device, available, name, totalMemory, reason }): [string, string] => [
        `device ${device}`,
        available
          ? [name, gibibytes(totalMemory)].filter(Boolean).join(', ')
          : `not available. ${reason}`,
      ],
    ),
    ['CPU', `kernels for ${installed.kernels}`],
    ['threads', `${installed.threads}, ${installed.threadsReason}`],
    ['memory', `${gibibytes(memory.free)} free of ${gibibytes(memory.total)}`],
  ]);
}

function gibibytes(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

function describeModel({ folder, layout, from, components, missing }: Inspection): string {
  const networks = Object.entries(components).map(([name, network]): [string, string] => {
    const { parameters, dtype, bytes } = network;
    const size = `${(bytes / 1e6).toFixed(1)} MB`;
    return [name, `${(parameters / 1e6).toFixed(1)} M parameters, ${dtype}, ${size}`];
  });
  const state = (absent: readonly string[]) =>
    absent.length === 0 ? 'ready' : `missing: ${absent.join(', ')}`;
  return formatRows([
    ['folder', folder],
    ['layout', from ? `${layout}, from ${from}` : layout],
    ...networks,
    ['text to image', state(missing.textToImage)],
    ['image variation', state(missing.imageVariation)],
  ]);
}

async function recipeIn(path: string): Promise<Recipe> {
  const recipe = await readRecipe(path);
  if (recipe !== undefined) return recipe;
  const message = `Expected an image with a recipe but ${path} has none: it was written without a recipe, or another program removed it`;
  throw invalidArgument(message);
}

function describeRecipe(recipe: Recipe): string {
  const { model, versions, device, dtype, kernels } = recipe;
  const place = kernels === undefined ? device : `${device} (${kernels})`;
  return formatRows([
    recipe.kind === 'textToImage'
      ? ['prompt', recipe.prompt]
      : ['variation of', `image with hash ${recipe.source.sha256} (${recipe.source.fit})`],
    ...describeOptions(recipe),
    ['model', `${model.name} (${model.sha256})`],
    ['generated on', `${place}, ${dtype}, karlo ${versions.karlo}, LibTorch ${versions.libtorch}`],
  ]);
}

function describeOptions(recipe: Recipe): [string, string][] {
  const table: OptionTable = taskOptions[recipe.kind];
  return Object.entries(recipe).flatMap(([name, value]): [string, string][] => {
    const kind = table[name]?.kind;
    if (kind === undefined || value === undefined) return [];
    const text = kind === 'stage' ? describeStage(value as StageOptions) : String(value);
    return [[splitCase(name, ' '), text]];
  });
}

function describeStage({ steps, timestepRespacing, ...others }: StageOptions): string {
  const spacing = steps === undefined ? `steps ${timestepRespacing}` : `${steps} steps`;
  const values = Object.entries(others)
    .filter(([name, value]) => name !== 'guidanceScale' || value !== 1)
    .map(([name, value]) => `${splitCase(name, ' ')} ${value}`);
  return [spacing, ...values].join(', ');
}
