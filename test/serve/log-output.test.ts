import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { LogOutput } from '../../lib/serve/log-output.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { atEnd } from './helpers/at-end.js';
import { freePort } from './helpers/processes.js';
import { until } from './helpers/server.js';

vi.setConfig({ testTimeout: 120_000 });

describe('the log', () => {
  const opened = (path: string) => {
    const fd = openSync(path, 'w');
    const warnings: string[] = [];
    return { fd, warnings, log: new LogOutput(fd, (reason) => warnings.push(reason)) };
  };

  test('is written in order', async () => {
    const file = join(temporaryFolder(), 'log');
    const { fd, log, warnings } = opened(file);
    const lines = Array.from({ length: 1000 }, (_, i) => `${i}\n`);
    for (const line of lines) log.write(line);
    await log.end();
    closeSync(fd);
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
    expect({ warnings, dropped: log.dropped }).toEqual({ warnings: [], dropped: 0 });
  });

  test('contains no control that pino leaves in JSON', async () => {
    const file = join(temporaryFolder(), 'log');
    const { fd, log } = opened(file);
    const prompt = 'a\x9b2J\u202e ring';
    log.write(`${JSON.stringify({ prompt })}\n`);
    await log.end();
    closeSync(fd);
    const line = readFileSync(file, 'utf8');
    expect(line).toBe('{"prompt":"a\\u009b2J\\u202e ring"}\n');
    expect(JSON.parse(line)).toEqual({ prompt });
  });

  test.skipIf(!existsSync('/dev/full'))('drops lines on a full disk, and warns once', async () => {
    const { fd, log, warnings } = opened('/dev/full');
    log.write('one\n');
    await log.end();
    log.write('two\n');
    log.write('three\n');
    await log.end();
    closeSync(fd);
    expect(log.dropped).toBe(3);
    expect(warnings).toEqual([expect.stringMatching(/^ENOSPC: no space left on device/)]);
  });

  const waitThenRead = 'while [ ! -e "$0.go" ]; do sleep 0.05; done; cat > "$0"';

  test('waits for the reader of a pipe without blocking', async () => {
    const file = join(temporaryFolder(), 'log');
    const reader = spawn('sh', ['-c', waitThenRead, file]);
    const { fd } = (reader.stdin as unknown as { _handle: { fd: number } })._handle;
    const log = new LogOutput(fd, () => {});
    const line = `${'x'.repeat(1023)}\n`;
    for (let i = 0; i < 1000; i++) log.write(line);
    await log.end();
    expect(existsSync(file)).toBe(false);
    writeFileSync(`${file}.go`, '');
    while (readFileSync(file, { encoding: 'utf8', flag: 'a+' }).length < 1000 * 1024) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    reader.stdin.destroy();
    expect(log.dropped).toBe(0);
  });

  test('drops what does not fit into its buffer, and keeps the rest', async () => {
    const file = join(temporaryFolder(), 'log');
    const { fd, log, warnings } = opened(file);
    const line = `${'x'.repeat(1023)}\n`;
    for (let i = 0; i < 1100; i++) log.write(line);
    await log.end();
    closeSync(fd);
    expect(readFileSync(file, 'utf8').length + 1024 * log.dropped).toBe(1100 * 1024);
    expect(log.dropped).toBe(76);
    expect(warnings).toEqual(['its reader is too slow']);
  });
});

describe.skipIf(!existsSync('/dev/full'))('karlo serve', () => {
  test.each([
    ['a full disk', 'exec "$@" > /dev/full', 'ENOSPC'],
    ['a full disk, also for stderr', 'exec "$@" > /dev/full 2> /dev/full', ''],
    ['a full disk, in pretty lines', 'exec "$@" --log-format pretty > /dev/full', 'ENOSPC'],
    ['a file size limit', 'ulimit -f 0 && exec "$@" > log', 'EFBIG'],
  ])('answers, counts dropped lines and ends, with its log on %s', async (_name, line, reason) => {
    const port = await freePort();
    const main = `${process.cwd()}/dist/lib/cli/main.js`;
    const command = [process.execPath, main, 'serve', '--port', String(port)];
    const child = spawn('bash', ['-c', line, 'bash', ...command], { cwd: temporaryFolder() });
    atEnd(() => child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const metrics = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`);
      return Number(/^karlo_log_lines_dropped_total (\d+)/m.exec(await response.text())?.[1]);
    };
    await until(
      () =>
        metrics().then(
          (count) => count > 2,
          () => false,
        ),
      60,
    );
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect(stderr.match(/warning: the log on stdout cannot be written/g) ?? []).toHaveLength(
      reason === '' ? 0 : 1,
    );
    expect(stderr).toContain(reason);
  });
});
