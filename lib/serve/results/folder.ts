import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { link, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isResultName, type ResultStore } from './results.js';

/** Finished pictures in a folder, which several machines may share. Old ones are deleted. */
export class FolderResults implements ResultStore {
  readonly #folder: string;
  readonly #seconds: number;
  readonly #sweeper: NodeJS.Timeout;

  constructor(folder: string, seconds: number) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#seconds = seconds;
    const sweep = () => this.sweep().catch(() => {});
    this.#sweeper = setInterval(sweep, Math.min(250 * seconds, 600_000)).unref();
  }

  /** Whole or not at all; the first one under a name stays. */
  async put(name: string, data: Buffer): Promise<void> {
    const path = join(this.#folder, name);
    const temporary = `${path}.${randomBytes(4).toString('hex')}`;
    try {
      await writeFile(temporary, data, { flag: 'wx' });
      await link(temporary, path);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async get(name: string): Promise<Buffer | undefined> {
    try {
      const path = join(this.#folder, name);
      return (await this.#isOld(path)) ? undefined : await readFile(path);
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Deletes what is old, of our own names alone. */
  async sweep(): Promise<void> {
    for (const name of (await readdir(this.#folder)).filter(isResultName)) {
      const path = join(this.#folder, name);
      if (await this.#isOld(path)) await rm(path, { force: true });
    }
  }

  async #isOld(path: string): Promise<boolean> {
    return Date.now() - (await stat(path)).mtimeMs > 1000 * this.#seconds;
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
  }
}

function isCode(error: unknown, code: string): boolean {
  return (error as { code?: unknown }).code === code;
}
