import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SaxesParser } from 'saxes';
import { beforeAll, describe, expect, test } from 'vitest';

// The C++ tests of test/native: each folder is a program, and each of its test cases is a test here.
// With the kernels of another instruction set, only those that use kernels run again.
const cuda = process.platform === 'linux' ? ['cuda'] : [];
const all = process.env.KARLO_CPU_CAPABILITY
  ? ['ops', 'nets']
  : ['core', ...cuda, 'simd', 'ops', 'nets', 'export', 'import'];
// `npm run test:arm64` has its own build folder, runs fewer programs, and runs them in an emulator.
const { KARLO_TEST_BUILD, KARLO_TEST_PROGRAMS, KARLO_TEST_EMULATOR } = process.env;
const folders = KARLO_TEST_PROGRAMS?.split(' ') ?? all;
const build = KARLO_TEST_BUILD ?? fileURLToPath(new URL('../../build', import.meta.url));

describe.each(folders)('%s', (folder) => {
  const program = join(build, 'test', `${folder}_test`);
  let failures: Map<string, string>;
  let output: string;

  beforeAll(async () => {
    output = await outputOf(program);
    failures = failuresIn(output);
  }, 600_000);

  test.each(testCasesOf(program))('%s', (name) => {
    // A program that crashed has not reported every test case.
    const failure = failures.get(name) ?? `no result in the output of ${program}:\n${output}`;
    expect(failure).toBe('');
  });
});

/** The command line that runs a program. */
function commandOf(program: string, ...args: string[]): [string, string[]] {
  if (KARLO_TEST_EMULATOR === undefined) return [program, args];
  return [KARLO_TEST_EMULATOR, [program, ...args]];
}

function testCasesOf(program: string): string[] {
  // Its exit status is the number of test cases.
  const list = () =>
    execFileSync(...commandOf(program, '--list-test-names-only'), {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  let names: string;
  try {
    names = list();
  } catch (error) {
    names = (error as { stdout: string }).stdout;
  }
  const cases = names.split('\n').filter((name) => name !== '');
  if (cases.length === 0) throw new Error(`${program} lists no test cases`);
  return cases;
}

async function outputOf(program: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(...commandOf(program, '--reporter', 'xml'), {
      maxBuffer: 2 ** 28,
    });
    return stdout;
  } catch (error) {
    // The program fails if one of its test cases does.
    const { stdout, stderr, message } = error as Record<'stdout' | 'stderr' | 'message', string>;
    return `${stdout}${stdout === '' ? message : ''}${stderr}`;
  }
}

/** The failed assertions of each test case in Catch2's XML report; empty for a test case that passed. */
function failuresIn(report: string): Map<string, string> {
  const failures = new Map<string, string>();
  let testCase = '';
  let lines: string[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'TestCase') {
      testCase = attributes.name ?? '';
      lines = [];
    } else if (name === 'OverallResult') {
      failures.set(testCase, attributes.success === 'true' ? '' : lines.join('\n') || 'failed');
    } else if (attributes.filename !== undefined) {
      lines.push(`${attributes.filename}:${attributes.line}`);
    }
  });
  parser.on('text', (text) => {
    if (text.trim() !== '') lines.push(`  ${text.trim()}`);
  });
  // A program that crashes leaves an incomplete report.
  parser.on('error', () => {});
  parser.write(report).close();
  return failures;
}
