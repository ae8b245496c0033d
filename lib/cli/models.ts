import type { Command } from 'commander';
import { storeFolder } from '../hub/store/folder.js';
import { listModels, type StoredModel } from '../hub/store/list.js';
import { removeModel } from '../hub/store/remove.js';
import { builtIn } from '../tokenizer/tokenizer-files.js';
import { sizeText } from './sizes.js';
import { interruptible } from './terminal/interruptible.js';

/** `karlo models`: what is in the store; `karlo models rm NAME` takes one away. */
export function addModels(program: Command): void {
  const models = program
    .command('models')
    .description('list the models that were pulled')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo models
  karlo models rm kakaobrain/karlo-v1-alpha
  karlo models rm kakaobrain/karlo-v1-alpha --partial`,
    )
    .action(list);
  models
    .command('rm')
    .description('remove a model')
    .argument('<name>')
    .option('--partial', 'only what an interrupted pull has left')
    .option('--json', 'print one JSON object')
    .action(remove);
}

async function list({ json }: { json?: boolean }): Promise<void> {
  const store = storeFolder(process.env);
  const models = await listModels();
  if (json) console.log(JSON.stringify({ builtIn, store, models }, null, 2));
  else
    console.log(
      `Built in: ${builtIn.join(', ')}\n${models.length === 0 ? nothing(store) : table(models)}`,
    );
}

function nothing(store: string): string {
  return `None in ${store}. Fetch one with: npx karlo pull kakaobrain/karlo-v1-alpha`;
}

function table(models: readonly StoredModel[]): string {
  const head = ['NAME', 'LAYOUT', 'SIZE', 'DATE', 'STATE', 'PATH'];
  const lines = [head, ...models.flatMap(linesOf)];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const pad = (line: string[]) => line.map((text, i) => text.padEnd(widths[i] ?? 0)).join('  ');
  return lines.map((line) => pad(line).trimEnd()).join('\n');
}

/** A line a name: a model that is made of two repositories goes by either. */
function linesOf({ repositories, layout, state, bytes, totalBytes, date, path }: StoredModel) {
  const size =
    state === 'complete' ? sizeText(bytes) : `${sizeText(bytes)} of ${sizeText(totalBytes)}`;
  return repositories.map((name, i) =>
    i === 0 ? [name, layout, size, date.slice(0, 10), state, path] : [name, '', '', '', '', 'same'],
  );
}

async function remove(
  name: string,
  { partial = false, json = false }: { partial?: boolean; json?: boolean },
): Promise<void> {
  const removed = await interruptible((signal) => removeModel(name, { partial, signal }));
  console.log(json ? JSON.stringify({ removed, partial }) : `Removed ${removed}`);
}
