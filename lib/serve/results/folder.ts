import { mkdirSync } from 'node:fs';
import { link, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeThenRename } from '../../util/files.js';
import { isResultName, ResultStore } from './store.js';

/** Images in a folder, which several machines may share. Expired ones are deleted periodically. */
export class FolderResults extends ResultStore {
  readonly #folder: string;
  readonly #seconds: number;
  readonly #timer: NodeJS.Timeout;

  constructor(folder: string, seconds: number) {
    super();
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#seconds = seconds;
    const sweep = () => this.sweep().catch(() => {});
    this.#timer = setInterval(sweep, Math.min(250 * seconds, 600_000)).unref();
  }

  /** A file appears complete or not at all. A link, unlike a rename, does not replace an existing file. */
  protected override async write(name: string, data: Buffer): Promise<void> {
    const write = (temporary: string) => writeFile(temporary, data, { flag: 'wx' });
    try {
      await writeThenRename(join(this.#folder, name), write, link);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }

  protected override async read(name: string): Promise<Buffer | undefined> {
    try {
      const path = join(this.#folder, name);
      return (await this.#isExpired(path)) ? undefined : await readFile(path);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Deletes expired images, and no other files. */
  async sweep(): Promise<void> {
    for (const name of (await readdir(this.#folder)).filter(isResultName)) {
      const path = join(this.#folder, name);
      if (await this.#isExpired(path)) await rm(path, { force: true });
    }
  }

  async #isExpired(path: string): Promise<boolean> {
    return Date.now() - (await stat(path)).mtimeMs > 1000 * this.#seconds;
  }

  override async close(): Promise<void> {
    clearInterval(this.#timer);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as { code?: unknown }).code === code;
}
