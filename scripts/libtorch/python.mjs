import { spawnSync } from 'node:child_process';

const locate = 'import importlib.util as u; s = u.find_spec("torch"); print(s.origin if s else "")';

/**
 * The folder of Python's torch, without importing it, which would take seconds.
 * @returns {string | undefined}
 */
export function findPythonTorch() {
  const { status, stdout } = spawnSync('python3', ['-c', locate], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  const origin = status === 0 ? stdout.trim() : '';
  return origin === '' ? undefined : origin.replace(/[\\/]__init__\.py$/, '');
}

/**
 * pip, by the first name under which it answers.
 * @returns {{ command: string[] | undefined, tried: string[] }}
 */
export function findPip() {
  const commands = [
    ['python3', '-m', 'pip'],
    ['python', '-m', 'pip'],
    ['pip3'],
    ['pip'],
    ['py', '-m', 'pip'],
  ];
  const command = commands.find(([program = '', ...args]) => {
    return spawnSync(program, [...args, '--version'], { stdio: 'ignore' }).status === 0;
  });
  return { command, tried: commands.map((words) => words.join(' ')) };
}
