import type { Command } from 'commander';
import { variationsSuffix } from '../../hub/store/folder.js';
import { type Pulled, type PullProgress, pullModel } from '../../hub/store/pull.js';
import { formatBytes } from '../../util/format-bytes.js';
import { interruptible } from '../terminal/interruptible.js';
import { printJson, printLine, reportLine } from '../terminal/output.js';
import { showPhases } from '../terminal/phase-progress.js';
import { variablesHelp } from '../variables-help.js';

interface Flags {
  revision?: string;
  variant?: string;
  variations?: boolean;
  json?: boolean;
}

/** `karlo pull REPO`: downloads a published model to the model store. */
export function addPull(program: Command): void {
  program
    .command('pull')
    .description('download a published model or safety checker, or its missing files')
    .argument(
      '<repo>',
      "repository on the Hugging Face Hub, or 'kakao' for Kakao Brain's own five files",
    )
    .option('--variations', 'also pull <repo>-image-variations, for image variation')
    .option('--revision <name>', 'branch, tag or commit (default: "main")')
    .option('--variant <name>', 'variant of the weights to prefer, such as fp16 (default: none)')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo pull kakaobrain/karlo-v1-alpha
  karlo pull kakaobrain/karlo-v1-alpha --variations
  karlo pull kakao
  karlo pull CompVis/stable-diffusion-safety-checker # for --safety

A pull resumes after an interruption.

${variablesHelp(['HF_TOKEN', 'HF_ENDPOINT', 'KARLO_KAKAO_URL', 'KARLO_CACHE', 'KARLO_OFFLINE', 'HF_HUB_OFFLINE', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'])}`,
    )
    .action(pull);
}

async function pull(repo: string, { json, ...options }: Flags): Promise<void> {
  const progress = showProgress();
  const model = await interruptible((signal) =>
    pullModel(repo, { ...options, onProgress: progress.update, signal }),
  ).finally(progress.stop);
  for (const warning of model.warnings) reportLine(`warning: ${warning}`);
  if (json) printJson(model, 2);
  else for (const line of summary(model)) printLine(line);
}

function summary({ name, layout, totalBytes, path, repositories }: Pulled): string[] {
  const line = `${repositories.join(' and ')}: ${formatBytes(totalBytes)} in ${path}`;
  if (layout === 'safety-checker') return [line, `  npx karlo "a red heart" --safety ${name}`];
  const [hasTextToImage, hasVariation] = [name, `${name}${variationsSuffix}`].map(
    (repo) => layout === 'kakao' || repositories.includes(repo),
  );
  const lines = [line];
  if (hasTextToImage) lines.push(`  npx karlo "a red heart" --model ${name}`);
  const model = hasTextToImage ? name : repositories[0];
  if (hasVariation) lines.push(`  npx karlo vary photo.jpg --model ${model}`);
  else if (name === published) lines.push(`  npx karlo pull ${name} --variations`);
  return lines;
}

const published = 'kakaobrain/karlo-v1-alpha';

const phases = {
  wait: 'Waiting for another process that changes the model store',
  list: 'Listing the files',
};

/** Shows progress on stderr: a bar in a terminal, else a line for each phase and file. */
function showProgress() {
  const format = 'Downloading [{bar}] {done} of {all}  {eta_formatted} left';
  const bar = showPhases({ format, etaBuffer: 1000 });
  return {
    update({ phase, done, total, finished }: PullProgress) {
      if (phase !== 'fetch') {
        bar.update(phase, undefined, `${phases[phase]} …`);
        return;
      }
      const payload = { done: formatBytes(done), all: formatBytes(total) };
      bar.update(phase, { done, total, payload });
      if (finished && !bar.drawsBars) {
        const share = `${payload.done} of ${payload.all}`;
        reportLine(`${finished.path}: ${formatBytes(finished.size)} (${share})`);
      }
    },
    stop: bar.stop,
  };
}
