import type { Command } from 'commander';
import type { KarloDraft } from '../../images/draft.js';
import { readDraft } from '../../images/read-draft.js';
import { finishOptions } from '../../options/descriptions.js';
import { flagLabel } from '../../options/flags.js';
import { resolveFinish } from '../../options/resolve-generation.js';
import { chunks } from '../../util/chunks.js';
import {
  addOptions,
  addOutputOptions,
  checked,
  type ImageFlags,
  loadOptionsOf,
  optionsOf,
} from '../flags.js';
import { targetsOfDrafts } from '../output-files.js';
import type { GenerationPlan } from '../run-calls.js';
import { runGeneration } from '../run-generation.js';

/** Drafts in one call. */
const draftsPerCall = 64;

/** `karlo finish DRAFT`: makes the images of drafts. */
export function addFinish(program: Command): void {
  const command = program
    .command('finish')
    .description('make the images of drafts')
    .argument('<draft...>', 'drafts that a command has written with --draft');
  addOutputOptions(addOptions(command, finishOptions))
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" -n 4 --seed 0 --draft
  karlo finish a-red-heart-2.draft.png
  karlo finish a-red-heart-0.draft.png a-red-heart-3.draft.png --output out/`,
    )
    .action((files: string[], flags: ImageFlags) => finish(command, files, flags));
}

async function finish(
  command: Command,
  files: readonly string[],
  flags: ImageFlags,
): Promise<void> {
  // Before the model is loaded, so that files that are not drafts are reported at once.
  const drafts: KarloDraft[] = [];
  for (const file of files) drafts.push(await readDraft(file));
  const options = optionsOf(finishOptions, flags);
  for (const { recipe } of drafts) {
    checked(command, () => resolveFinish(options, recipe, { label: flagLabel }));
  }
  const named = drafts.map(({ seed }, i) => ({ seed, file: files[i] as string }));
  const plan: GenerationPlan = {
    ...{ names: files, recipe: undefined, candidates: 1, resume: false },
    targets: (output) => targetsOfDrafts(named, output),
    calls: (targets) =>
      chunks(
        targets.map((target) => [target]),
        draftsPerCall,
      ),
    load: await loadOptionsOf(command, flags, drafts[0]?.recipe),
  };
  await runGeneration(command, plan, flags, (karlo, sources, { signal, previews }) => {
    const some = sources.map((source) => drafts[source] as KarloDraft);
    return karlo.finish(some, { ...options, signal, previews });
  });
}
