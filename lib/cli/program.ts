import { Command } from 'commander';
import { packageJson } from '../util/package.js';

const { version, description } = packageJson();

type AddCommand = (program: Command, version: string) => void;

interface CommandModule {
  /** Imported only when it is needed: together, the libraries of all commands take a third of a second. */
  readonly load: () => Promise<AddCommand>;
  /** Whether the command loads a model, so that LibTorch is opened early. */
  readonly opensLibTorch?: boolean;
  /** Whether the command also works where there is no LibTorch. */
  readonly withoutLibTorch?: boolean;
}

/** The commands by their names, in the order of `karlo --help`. */
export const commands: Readonly<Record<string, CommandModule>> = {
  generate: {
    load: async () => (await import('./commands/generate.js')).addGenerate,
    opensLibTorch: true,
  },
  vary: { load: async () => (await import('./commands/vary.js')).addVary, opensLibTorch: true },
  mix: { load: async () => (await import('./commands/mix.js')).addMix, opensLibTorch: true },
  interpolate: {
    load: async () => (await import('./commands/interpolate.js')).addInterpolate,
    opensLibTorch: true,
  },
  edit: { load: async () => (await import('./commands/edit.js')).addEdit, opensLibTorch: true },
  img2img: {
    load: async () => (await import('./commands/img2img.js')).addImageToImage,
    opensLibTorch: true,
  },
  inpaint: {
    load: async () => (await import('./commands/inpaint.js')).addInpaint,
    opensLibTorch: true,
  },
  invert: {
    load: async () => (await import('./commands/invert.js')).addInvert,
    opensLibTorch: true,
  },
  reconstruct: {
    load: async () => (await import('./commands/reconstruct.js')).addReconstruct,
    opensLibTorch: true,
  },
  upscale: {
    load: async () => (await import('./commands/upscale.js')).addUpscale,
    opensLibTorch: true,
  },
  finish: {
    load: async () => (await import('./commands/finish.js')).addFinish,
    opensLibTorch: true,
  },
  eval: { load: async () => (await import('./commands/eval.js')).addEval, opensLibTorch: true },
  info: { load: async () => (await import('./commands/info.js')).addInfo },
  setup: { load: async () => (await import('./commands/setup.js')).addSetup },
  convert: { load: async () => (await import('./commands/convert.js')).addConvert },
  verify: {
    load: async () => (await import('./commands/verify.js')).addVerify,
    opensLibTorch: true,
  },
  serve: { load: async () => (await import('./commands/serve.js')).addServe },
  worker: { load: async () => (await import('./commands/worker.js')).addWorker },
  mcp: { load: async () => (await import('./commands/mcp.js')).addMcp },
  pull: { load: async () => (await import('./commands/pull.js')).addPull, withoutLibTorch: true },
  models: {
    load: async () => (await import('./commands/models.js')).addModels,
    withoutLibTorch: true,
  },
};

/** The program with some of its commands. */
export async function createProgram(names: readonly string[]): Promise<Command> {
  const program = new Command('karlo')
    .description(description)
    .version(version)
    .usage('"<prompt>" [options] | <command> [options]')
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart on a white background"
  karlo generate --help`,
    )
    .exitOverride();
  for (const name of names) (await commands[name]?.load())?.(program, version);
  return program;
}
