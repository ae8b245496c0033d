import { basename, resolve } from 'node:path';
import { Karlo, type KarloOptions } from '../karlo.js';
import { LocalBackend } from './local-backend.js';
import { MemoryResults } from './results.js';
import { createServer } from './server.js';
import { checkSettings, type ServerSettings } from './settings.js';
import { untilSignal } from './signals.js';

export interface ServeOptions {
  karlo: KarloOptions;
  settings: ServerSettings;
  /** Jobs at work at once. */
  concurrency: number;
  /** Jobs that may wait. */
  capacity: number;
}

/** `karlo serve`: until a signal comes, and then until what is under way has ended. */
export async function serve({ karlo: options, settings, ...limits }: ServeOptions): Promise<void> {
  checkSettings(settings);
  const stop = untilSignal();
  const karlo = await Karlo.load(options);
  const backend = new LocalBackend(karlo, modelName(options.model), limits);
  const results = new MemoryResults({ seconds: settings.resultSeconds });
  const app = await createServer(settings, backend, results);
  const url = await app.listen({ host: settings.host, port: settings.port });
  process.stderr.write(`karlo serves ${modelName(options.model)} at ${url}\n`);
  app.log.info({ signal: await stop }, 'draining');
  await app.close();
  await backend.close();
  await results.close();
}

/** What clients call the model: a built-in name, or a folder's own name. */
export function modelName(model = 'karlo-tiny'): string {
  return basename(resolve(model));
}
