import type { Command } from 'commander';
import { describeBuild } from '../../libtorch/folder.js';
import { loadOptions } from '../../options/descriptions.js';
import { flagLabel } from '../../options/flags.js';
import { resolveLoadOptions } from '../../options/resolve-load.js';
import type { DeviceInfo } from '../../torch/device.js';
import type { Finding, Installation, VerifyOptions } from '../../verify/index.js';
import { addOptions, checked, optionsOf } from '../flags.js';
import { formatRows } from '../terminal/format.js';
import { interruptible } from '../terminal/interruptible.js';
import { printJson, printLine, printText } from '../terminal/output.js';

interface Flags {
  readonly reference?: string;
  readonly json?: boolean;
}

/** `karlo verify [MODEL]`: whether this installation computes what it should. */
export function addVerify(program: Command): void {
  const { device, threads, trustGraphs } = loadOptions;
  const command = program
    .command('verify')
    .description('check that networks and images are right on this machine')
    .argument('[model]', 'karlo-tiny, a pulled model, or a model folder', 'karlo-tiny');
  addOptions(command, { device, threads, trustGraphs })
    .option(
      '--reference <python>',
      'also compare images with diffusers, in this virtual environment or by this Python',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Exits with status 1 if a comparison failed. docs/guide/verify.md explains the comparisons and their bounds.

Examples:
  karlo verify
  karlo verify karlo-tiny --threads 1
  karlo verify --json > verify.json`,
    )
    .action((model: string, flags: Flags) => verify(command, model, flags));
}

async function verify(command: Command, model: string, flags: Flags): Promise<void> {
  const { openVerification } = await import('../../verify/index.js');
  const options = { ...optionsOf(loadOptions, flags), model } as Omit<VerifyOptions, 'signal'>;
  checked(command, () => resolveLoadOptions(options, flagLabel));
  const { reference, json = false } = flags;
  await interruptible(async (signal) => {
    const start = performance.now();
    const { installation, findings } = await openVerification({
      ...{ ...options, reference, signal, label: flagLabel },
    });
    const found: Finding[] = [];
    const table = new Table();
    if (!json) printText(describeInstallation(installation));
    for await (const finding of findings()) {
      found.push(finding);
      if (!json) table.print(finding);
    }
    const failed = found.filter(({ verdict }) => verdict === 'failed');
    if (failed.length > 0) process.exitCode = 1;
    const seconds = (performance.now() - start) / 1000;
    const verdict = failed.length === 0 ? 'ok' : 'failed';
    if (json) printJson({ verdict, seconds, installation, findings: found }, 2);
    else printText(summary(found, failed, seconds));
  });
}

function describeInstallation(installation: Installation): string {
  const { karlo, node, platform, libtorch, devices, threads, model } = installation;
  return formatRows([
    ['karlo', `${karlo}, Node ${node} on ${platform}`],
    ['LibTorch', `${describeBuild(libtorch)} from ${libtorch.source}`],
    ...devices.map((device): [string, string] => [device.device, describeDevice(device)]),
    ['kernels', `${installation.kernels}, LibTorch's ${installation.cpuCapability}`],
    ['threads', String(threads)],
    ['model', `${model.name}, ${model.layout}, ${model.fingerprint}`],
  ]);
}

function describeDevice({ available, name = '', reason = '' }: DeviceInfo): string {
  return available ? name : `not available. ${reason}`;
}

/** Prints findings below the name of their subject, as they come. */
class Table {
  #subject: string | undefined;

  print({ part, subject, ...finding }: Finding): void {
    const title = `${part}: ${subject}`;
    if (title !== this.#subject) {
      printText(`\n${row([title, 'max', 'mean', 'bound']).trimEnd()}`);
      this.#subject = title;
    }
    printLine(describeFinding(finding));
  }
}

function describeFinding(finding: Omit<Finding, 'part' | 'subject'>): string {
  const { comparison, verdict, errors, bound, reason } = finding;
  const limit = bound && `${bound.of} ${number(bound.value)}`;
  if (errors === undefined) return `${row([`  ${comparison}`, '', '', ''])}${verdict}: ${reason}`;
  const { max, mean } = errors;
  return `${row([`  ${comparison}`, number(max), number(mean), limit ?? ''])}${verdict}`;
}

const widths = [48, 10, 10, 14];

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padEnd(widths[i] as number)).join('');
}

function number(value: number): string {
  return value === 0 || (value >= 0.01 && value < 1000)
    ? String(Number(value.toPrecision(3)))
    : value.toExponential(1);
}

function summary(all: readonly Finding[], failed: readonly Finding[], seconds: number): string {
  const skipped = all.filter(({ verdict }) => verdict === 'skipped').length;
  const compared = all.length - skipped;
  const note = skipped === 0 ? '' : `, ${skipped} skipped`;
  const verdict = failed.length === 0 ? 'ok: ' : `failed: ${failed.length} of `;
  return `\n${verdict}${compared} comparisons in ${seconds.toFixed(1)} s${note}`;
}
