import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const program = `
  import { Karlo } from './dist/lib/index.js';
  const karlo = await Karlo.load({ device: 'cpu' });
  karlo.textToImage('a ring', { count: 100 }).catch(() => {});
  setTimeout(() => process.exit(7), 200 + Math.random() * 300);
`;

test('process.exit during a call ends the process with its exit code', () => {
  for (let i = 0; i < 4; i += 1) {
    const args = ['--input-type=module', '--eval', program];
    const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' });
  }
});
