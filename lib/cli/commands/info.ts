import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { expected, invalidArgument, type KarloError } from '../../errors.js';
import { findModel } from '../../hub/store/resolve.js';
import { type C2paManifest, c2paManifestOf } from '../../images/c2pa.js';
import { formatOfFile } from '../../images/formats.js';
import { readMarking } from '../../images/read-marking.js';
import { readRecipe } from '../../images/read-recipe.js';
import type { Recipe } from '../../images/recipe.js';
import { sourceTypeNamed } from '../../images/source-type.js';
import { type Inspection, inspectModel } from '../../layouts/index.js';
import { describeBuild } from '../../libtorch/folder.js';
import {
  generationOptions,
  methodOptions,
  type OptionTable,
  taskOptions,
  upscaleOptions,
} from '../../options/descriptions.js';
import type { StageOptions } from '../../options/types.generated.js';
import { cudaGraphs, type DeviceInfo, devices, whyNoCudaKernels } from '../../torch/device.js';
import { version as torchVersion } from '../../torch/load.js';
import { splitCase } from '../../util/case.js';
import { type MemoryLimit, memoryLimit } from '../../util/memory-limit.js';
import { defaultThreads } from '../../util/processors.js';
import { visibleLine } from '../../util/visible-text.js';
import { failureJson, failureText } from '../failure.js';
import { describeMarks, marksJson, readMarks } from '../marks.js';
import { formatRows } from '../terminal/format.js';
import { printJson, printText, reportText } from '../terminal/output.js';

/** `karlo info [PATH…]`: what is installed, what a model folder contains, or how an image was generated. */
export function addInfo(program: Command, version: string): void {
  program
    .command('info')
    .description(
      'show the installation, the contents of a model, or the recipe and marks of an image',
    )
    .argument('[path...]', 'models (name or folder) or image files (default: the installation)')
    .option('--json', 'print one JSON object, or for several paths an array of them')
    .option('--c2pa', 'print the C2PA manifest definition of an image, for c2patool')
    .addHelpText(
      'after',
      `
Examples:
  karlo info
  karlo info karlo-tiny
  karlo "a red heart" --output heart.png
  karlo info heart.png
  karlo info heart.png --c2pa > manifest.json
  karlo info karlo-tiny heart.png`,
    )
    .action(async (paths: string[], { json = false, c2pa = false }: InfoFlags) => {
      if (c2pa) printJson(await manifestOf(paths), 2);
      else if (paths.length > 1) await showAll(paths, json);
      else print(await infoOf(paths[0], version), json);
    });
}

interface InfoFlags {
  readonly json?: boolean;
  readonly c2pa?: boolean;
}

async function manifestOf(paths: readonly string[]): Promise<C2paManifest> {
  const [path] = paths;
  if (path === undefined || paths.length > 1) throw expected('one image', '--c2pa', paths);
  const marking = await readMarking(path);
  const type = sourceTypeNamed(marking?.digitalSourceType);
  if (type !== undefined) return c2paManifestOf(type);
  throw invalidArgument(
    `Expected an image that is marked as generated but ${path} is not: it was written without its marking, or another program removed it`,
  );
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
    const recipe = await readRecipe(path);
    const marks = await readMarks(path);
    if (!recipe && !marks.marking && !marks.watermark) throw withoutInfo(path);
    const rows = [...(recipe ? describeRecipe(recipe) : []), ...describeMarks(marks)];
    return { json: { ...recipe, marking: marksJson(marks) }, text: formatRows(rows) };
  }
  const { folder } = await findModel(path);
  const inspection = await inspectModel(folder);
  return { json: inspection, text: describeModel(inspection) };
}

function print({ json, text }: Info, asJson: boolean): void {
  if (asJson) printJson(json, 2);
  else printText(text);
}

/** Shows several models or images. One that cannot be read does not hide the others, but fails the command. */
async function showAll(paths: readonly string[], asJson: boolean): Promise<void> {
  const all: object[] = [];
  for (const path of paths) {
    try {
      const { json, text } = await infoAt(path);
      all.push({ path, ...json });
      if (!asJson) printText(`${all.length > 1 ? '\n' : ''}${visibleLine(path)}\n${text}`);
    } catch (error) {
      all.push({ path, error: failureJson(error) });
      reportText(failureText(error));
      process.exitCode = 1;
    }
  }
  if (asJson) printJson(all, 2);
}

function installation(version: string) {
  const { libtorch, build, cuda, folder, source, cpuCapability, kernels } = torchVersion();
  const { threads, reason: threadsReason } = defaultThreads();
  return {
    karlo: version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    libtorch: { version: libtorch, build, cuda, folder, source },
    devices: devices().map(withKernels),
    threads,
    threadsReason,
    cpuCapability,
    kernels,
    memory: memoryLimit(),
    cudaGraphs: cudaGraphs(),
  };
}

const isCuda = ({ available, device }: DeviceInfo) => available && device.startsWith('cuda');

/** A GPU, with the reason why this package's kernels are not used on it, if they are not. */
function withKernels(info: DeviceInfo): DeviceInfo & { kernelsReason?: string | undefined } {
  return isCuda(info) ? { ...info, kernelsReason: whyNoCudaKernels(info.device) } : info;
}

function describeInstallation(installed: ReturnType<typeof installation>): string {
  const { libtorch, memory } = installed;
  return formatRows([
    ['karlo', installed.karlo],
    ['Node', `${installed.node} on ${installed.platform}`],
    ['LibTorch', `${describeBuild(libtorch)} from ${libtorch.source}: ${libtorch.folder}`],
    ...installed.devices.map(
      ({ device, available, name, totalMemory, reason, kernelsReason }): [string, string] => [
        `device ${device}`,
        available
          ? [name, gibibytes(totalMemory), withoutKernels(kernelsReason)].filter(Boolean).join(', ')
          : `not available. ${reason}`,
      ],
    ),
    ['CPU', `kernels for ${installed.kernels}`],
    ...describeGraphs(installed),
    ['threads', `${installed.threads}, ${installed.threadsReason}`],
    ['memory', describeMemory(memory)],
  ]);
}

/** None without a GPU, whose reason is shown already. */
function describeGraphs({
  devices,
  cudaGraphs: { available, reason },
}: ReturnType<typeof installation>): [string, string][] {
  return devices.some(isCuda) ? [['CUDA graphs', available ? 'on' : `off. ${reason}`]] : [];
}

function withoutKernels(reason: string | undefined): string {
  return reason === undefined ? '' : `without this package's kernels: ${visibleLine(reason)}`;
}

function describeMemory({ total, free, machine }: MemoryLimit): string {
  const used = `${gibibytes(free)} free of ${gibibytes(total)}`;
  if (total === machine) return used;
  return `${used}, by the container's limit; the machine has ${gibibytes(machine)}`;
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

function withoutInfo(path: string): KarloError {
  return invalidArgument(
    `Expected an image with a recipe, a marking or a watermark but ${path} has none: it was not generated, or another program removed them`,
  );
}

function describeRecipe(recipe: Recipe): [string, string][] {
  const { model, versions, device, dtype, kernels } = recipe;
  const place = kernels === undefined ? device : `${device} (${kernels})`;
  return [
    ...describeSource(recipe),
    ...describeOptions(recipe),
    ...describeSelection(recipe),
    ...describeVerdict(recipe),
    ['model', `${model.name} (${model.sha256})`],
    ['generated on', `${place}, ${dtype}, karlo ${versions.karlo}, LibTorch ${versions.libtorch}`],
  ];
}

/** What the image was made of. */
function describeSource(recipe: Recipe): [string, string][] {
  if (recipe.kind === 'textToImage') return [['prompt', recipe.prompt]];
  const prompt: [string, string][] =
    'prompt' in recipe && recipe.prompt !== undefined ? [['prompt', recipe.prompt]] : [];
  if (!('source' in recipe)) return [['made by', splitCase(recipe.kind, ' ')], ...prompt];
  const { sha256, fit } = recipe.source;
  const what = recipe.kind === 'imageVariation' ? 'variation of' : splitCase(recipe.kind, ' ');
  return [[what, `image with hash ${sha256} (${fit})`], ...prompt];
}

const recordedTables: Readonly<Record<Recipe['kind'], OptionTable>> = {
  ...taskOptions,
  ...methodOptions,
  reconstruct: generationOptions,
  upscale: upscaleOptions,
};

function describeOptions(recipe: Recipe): [string, string][] {
  const { prompt: _, ...table } = recordedTables[recipe.kind];
  return Object.entries(recipe).flatMap(([name, value]): [string, string][] => {
    const kind = table[name]?.kind;
    if (kind === undefined || value === undefined) return [];
    const text = kind === 'stage' ? describeStage(value as StageOptions) : String(value);
    return [[splitCase(name, ' '), text]];
  });
}

/** How the image was chosen, if it had candidates. */
function describeSelection({ selection }: Recipe): [string, string][] {
  if (selection === undefined) return [];
  const { seed, scores, priorScores } = selection;
  const chosenFrom = (what: string, all: readonly number[]) =>
    `${what}: best of ${all.length}, score ${Math.max(...all)}`;
  const choices = [
    ...(scores ? [chosenFrom('drafts', scores)] : []),
    ...(priorScores ? [chosenFrom('image embeddings', priorScores)] : []),
  ];
  return [['chosen', `${choices.join('; ')} (first seed ${seed})`]];
}

/** What a safety check said. */
function describeVerdict({ verdict }: Recipe): [string, string][] {
  if (verdict === undefined) return [];
  const { unsafe, action, reasons = [] } = verdict;
  const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  return [['safety check', unsafe ? `unsafe${why}, ${done[action ?? 'keep']}` : 'safe']];
}

const done = { blur: 'blurred', black: 'blackened', keep: 'kept' } as const;

function describeStage({ steps, timestepRespacing, ...others }: StageOptions): string {
  const spacing = steps === undefined ? `steps ${timestepRespacing}` : `${steps} steps`;
  const values = Object.entries(others)
    .filter(([name, value]) => name !== 'guidanceScale' || value !== 1)
    .map(([name, value]) => `${splitCase(name, ' ')} ${[value].flat().join(' to ')}`);
  return [spacing, ...values].join(', ');
}
