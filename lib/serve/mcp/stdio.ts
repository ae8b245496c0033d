import { once } from 'node:events';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { pino } from 'pino';
import { KarloError } from '../../errors.js';
import { Karlo, type KarloOptions } from '../../karlo.js';
import { AsyncLazy } from '../../util/async-lazy.js';
import { explain } from '../../util/explain.js';
import { toApiError } from '../errors.js';
import { LogOutput } from '../log-output.js';
import { jsonSize } from '../protocol/limits.js';
import { JobRunner } from '../queue/job-runner.js';
import { LocalBackend } from '../queue/local-backend.js';
import { MemoryResults } from '../results/memory.js';
import { defaults, redact, type ServerSettings } from '../settings.js';
import { createMcpServer } from './server.js';
import { createTools } from './tools.js';

export interface McpOptions {
  karlo: KarloOptions;
  /** Images per call. */
  maxN: number;
  logLevel: ServerSettings['logLevel'];
}

/** Calls that run at the same time, and those that wait. A client usually sends one. */
const limits = { concurrency: 1, capacity: 16 };

/** `karlo mcp`: answers messages on stdin until it ends. Nothing else than answers is written to stdout. */
export async function runMcp({ karlo: options, maxN, logLevel }: McpOptions): Promise<void> {
  const { maxImageBytes, imageLimits, resultSeconds } = defaults;
  const output = new LogOutput(process.stderr.fd, () => {});
  const log = pino({ level: logLevel, redact }, output);
  const model = new LazyModel(options);
  const results = new MemoryResults({ seconds: resultSeconds });
  const ended = new AbortController();
  const mcp = createMcpServer({
    ...{ tools: createTools({ maxN, maxImageBytes }, results), results, imageLimits },
    backend: model,
    signal: ended.signal,
    explain(error) {
      const { status, code } = toApiError(error);
      if (status < 500) log.info({ code }, 'a call was rejected');
      else log.error({ err: error }, code);
      return messageOf(error);
    },
  });
  const maxBufferSize = jsonSize(maxImageBytes);
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize });
  const closed = new Promise<void>((resolve) => {
    mcp.server.onclose = resolve;
  });
  await mcp.connect(transport);
  log.info({ model: options.model }, 'ready');
  await Promise.race([once(process.stdin, 'end'), closed]);
  ended.abort();
  await mcp.close();
  await model.dispose();
  await output.end();
}

/** The message of an error, for the person who runs the program. */
function messageOf(thrown: unknown): string {
  const error = explain(thrown) as Error;
  return error instanceof KarloError ? `${error.code}: ${error.message}` : error.message;
}

/** Runs jobs in this process, on a model that the first call loads. */
class LazyModel {
  readonly #options: KarloOptions;
  readonly #karlo = new AsyncLazy<Karlo>();
  #backend: LocalBackend | undefined;

  constructor(options: KarloOptions) {
    this.#options = options;
  }

  async model() {
    return (await this.#load()).model();
  }

  async submit(...call: Parameters<LocalBackend['submit']>) {
    return (await this.#load()).submit(...call);
  }

  async dispose(): Promise<void> {
    const karlo = await this.#karlo.value?.catch(() => undefined);
    await karlo?.dispose();
  }

  async #load(): Promise<LocalBackend> {
    const karlo = await this.#karlo.get(() => Karlo.load(this.#options));
    this.#backend ??= new LocalBackend(new JobRunner(karlo, 1), limits);
    return this.#backend;
  }
}
