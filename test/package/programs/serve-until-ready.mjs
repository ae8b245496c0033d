// Runs `karlo serve` on a free port until it is ready, and ends it as Ctrl+C does.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../dist/lib/cli/main.js', import.meta.url));
const args = [main, 'serve', ...process.argv.slice(2), '--port', '0'];
const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
let ready = false;
let stderr = '';
child.stderr.setEncoding('utf8').on('data', (text) => {
  stderr += text;
  if (ready || !/^karlo .* at http/m.test(stderr)) return;
  ready = true;
  child.kill('SIGINT');
});
child.on('close', (status) => {
  if (status !== 0 || !ready) process.stderr.write(stderr);
  process.exitCode = ready ? (status ?? 1) : 1;
});
