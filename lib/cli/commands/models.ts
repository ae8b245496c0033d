import type { Command } from 'commander';
import { storeFolder } from '../../hub/store/folder.js';
import { listModels, type StoredModel } from '../../hub/store/list.js';
import { removeModel } from '../../hub/store/remove.js';
import { builtIn } from '../../layouts/built-in.js';
import { formatBytes } from '../../util/format-bytes.js';
import { visibleLine } from '../../util/visible-text.js';
import { interruptible } from '../terminal/interruptible.js';
import { printJson, printLine, printText } from '../terminal/output.js';

/** `karlo models` lists the model store; `karlo models rm NAME` removes a model from it. */
export function addModels(program: Command): void {
  const models = program
    .command('models')
    .description('list the pulled models')
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
    .description('remove a pulled model')
    .argument('<name>')
    .option('--partial', 'remove only the unfinished download of an interrupted pull')
    .option('--json', 'print one JSON object')
    .action(remove);
}

async function list({ json }: { json?: boolean }): Promise<void> {
  const store = storeFolder(process.env);
  const models = await listModels();
  if (json) return printJson({ builtIn, store, models }, 2);
  printLine(`Built in: ${builtIn.join(', ')}`);
  if (models.length === 0) printLine(nothing(store));
  else printText(table(models));
}

function nothing(store: string): string {
  return `No pulled models in ${store}. To download one: npx karlo pull kakaobrain/karlo-v1-alpha`;
}

function table(models: readonly StoredModel[]): string {
  const head = ['NAME', 'LAYOUT', 'SIZE', 'DATE', 'STATE', 'PATH'];
  const lines = [head, ...models.flatMap(linesOf)].map((line) => line.map(visibleLine));
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const pad = (line: string[]) => line.map((text, i) => text.padEnd(widths[i] ?? 0)).join('  ');
  return lines.map((line) => pad(line).trimEnd()).join('\n');
}

/** One line for each name: a model of two repositories can be loaded by either name. */
function linesOf({ repositories, layout, state, bytes, totalBytes, date, path }: StoredModel) {
  const size =
    state === 'complete'
      ? formatBytes(bytes)
      : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  return repositories.map((name, i) =>
    i === 0 ? [name, layout, size, date.slice(0, 10), state, path] : [name, '', '', '', '', 'same'],
  );
}

async function remove(
  name: string,
  { partial = false, json = false }: { partial?: boolean; json?: boolean },
): Promise<void> {
  const removed = await interruptible((signal) => removeModel(name, { partial, signal }));
  if (json) printJson({ removed, partial });
  else printLine(`Removed ${removed}`);
}
