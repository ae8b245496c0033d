import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { run } from './run.mjs';

// What a user's `karlo setup --build` takes; a checkout has it installed, by its lock file.
const cmakeJs = 'cmake-js@8.0.0';

/**
 * Compiles the addon with CMake; a folder `Release` in `out` then holds it.
 * @param {{ source: string, out: string, libtorch: string, tests?: boolean }} options `source`: the
 *   folder of CMakeLists.txt; `libtorch`: a LibTorch with headers; `tests`: what the tests need, too
 * @returns {Promise<void>}
 */
export async function compileAddon({ source, out, libtorch, tests = false }) {
  const flags = [`--CDKARLO_LIBTORCH=${libtorch}`, `--CDKARLO_TESTS=${tests ? 'ON' : 'OFF'}`];
  const [program, ...words] = findCmakeJs(source);
  forgetOtherSource(out, source);
  for (const command of ['configure', 'build']) {
    const args = [...words, command, '--directory', source, '--out', out, ...flags];
    await run(program, args, { cwd: source, quiet: true });
  }
}

/**
 * CMake refuses to go on in a checkout that was moved or copied: it begins anew there.
 * @param {string} out
 * @param {string} source
 */
function forgetOtherSource(out, source) {
  const cache = join(out, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const known = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (known !== undefined && existsSync(known) && realpathSync(known) === realpathSync(source)) {
    return;
  }
  for (const name of ['CMakeCache.txt', 'CMakeFiles']) {
    rmSync(join(out, name), { recursive: true, force: true });
  }
}

/**
 * @param {string} source
 * @returns {[string, ...string[]]}
 */
function findCmakeJs(source) {
  try {
    const require = createRequire(join(source, 'package.json'));
    return [process.execPath, require.resolve('cmake-js/bin/cmake-js')];
  } catch {
    return ['npm', 'exec', '--yes', `--package=${cmakeJs}`, '--', 'cmake-js'];
  }
}
