import cliProgress from 'cli-progress';
import type { Command } from 'commander';
import { variationsSuffix } from '../hub/store/folder.js';
import { type Pulled, type PullProgress, pullModel } from '../hub/store/pull.js';
import { sizeText } from './sizes.js';
import { interruptible } from './terminal/interruptible.js';

interface Flags {
  revision?: string;
  variant?: string;
  variations?: boolean;
  json?: boolean;
}

/** `karlo pull REPO`: a published model, into the store. */
export function addPull(program: Command): void {
  program
    .command('pull')
    .description('fetch a published model, or what is missing of it')
    .argument('<repo>', "a repository of the hub, or 'kakao' for Kakao's own five files")
    .option('--variations', 'with <repo>-image-variations, for image variation too')
    .option('--revision <name>', 'a branch, tag or commit (default: main)')
    .option('--variant <name>', 'preferred weights, e.g. fp16')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo pull kakaobrain/karlo-v1-alpha
  karlo pull kakaobrain/karlo-v1-alpha --variations
  karlo pull kakao

An interrupted pull goes on where it stopped. Environment:
  HF_TOKEN         for repositories that are not open to everyone
  HF_ENDPOINT      another hub, e.g. a mirror (default: https://huggingface.co)
  KARLO_KAKAO_URL  another place of Kakao's five files
  KARLO_CACHE      where models go
  KARLO_OFFLINE    1: fetch nothing`,
    )
    .action(pull);
}

async function pull(repo: string, { json, ...options }: Flags): Promise<void> {
  const progress = showProgress();
  const model = await interruptible((signal) =>
    pullModel(repo, { ...options, onProgress: progress.update, signal }),
  ).finally(progress.stop);
  for (const warning of model.warnings) console.error(`warning: ${warning}`);
  console.log(json ? JSON.stringify(model, null, 2) : summary(model));
}

function summary({ name, layout, totalBytes, path, repositories }: Pulled): string {
  const [writes, varies] = [name, `${name}${variationsSuffix}`].map(
    (repo) => layout === 'kakao' || repositories.includes(repo),
  );
  const lines = [`${repositories.join(' and ')}: ${sizeText(totalBytes)} in ${path}`];
  if (writes) lines.push(`  npx karlo "a red heart" --model ${name}`);
  const model = writes ? name : repositories[0];
  if (varies) lines.push(`  npx karlo vary photo.jpg --model ${model}`);
  else if (name === published) lines.push(`  npx karlo pull ${name} --variations`);
  return lines.join('\n');
}

const published = 'kakaobrain/karlo-v1-alpha';

const words = {
  wait: 'Waiting for another process that changes the model store',
  list: 'Asking what there is',
};

/** On stderr: a bar in a terminal, else a line a phase and a line a file. */
function showProgress() {
  const drawsBar = process.stderr.isTTY;
  const bar = new cliProgress.SingleBar({
    format: 'Fetching [{bar}] {done} of {all}  {eta_formatted} left',
    hideCursor: true,
    stream: process.stderr,
    etaBuffer: 1000,
  });
  const texts = (done: number, all: number) => ({ done: sizeText(done), all: sizeText(all) });
  let phase: PullProgress['phase'] | undefined;
  const enter = (now: PullProgress['phase'], total: number, done: number) => {
    bar.stop();
    if (now !== 'fetch') process.stderr.write(`${words[now]} …\n`);
    else if (drawsBar) bar.start(total, done, texts(done, total));
    phase = now;
  };
  return {
    update({ phase: now, done, total, finished }: PullProgress) {
      if (now !== phase) enter(now, total, done);
      if (now !== 'fetch') return;
      if (drawsBar) bar.update(done, texts(done, total));
      else if (finished) {
        const share = `${sizeText(done)} of ${sizeText(total)}`;
        process.stderr.write(`${finished.path}: ${sizeText(finished.size)} (${share})\n`);
      }
    },
    stop: () => bar.stop(),
  };
}
