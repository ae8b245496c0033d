import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const locate = 'import importlib.util as u; s = u.find_spec("torch"); print(s and s.origin or "")';

/**
 * The folder of Python's torch, without importing it, which would take seconds.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function findPythonTorch(env) {
  const { status, stdout } = spawnSync('python3', ['-c', locate], {
    // Python looks where it is started first: a folder `torch` of the user's is no torch.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
    env,
    timeout: 10_000,
  });
  const origin = status === 0 ? stdout.trim() : '';
  return origin === '' ? undefined : origin.replace(/[\\/]__init__\.py$/, '');
}

/**
 * pip, by the first name under which it answers.
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ command: string[] | undefined, tried: string[] }}
 */
export function findPip(env) {
  const commands = [
    ['python3', '-m', 'pip'],
    ['python', '-m', 'pip'],
    ['pip3'],
    ['pip'],
    ['py', '-m', 'pip'],
  ];
  const command = commands.find(([program = '', ...args]) => {
    return spawnSync(program, [...args, '--version'], { stdio: 'ignore', env }).status === 0;
  });
  return { command, tried: commands.map((words) => words.join(' ')) };
}
