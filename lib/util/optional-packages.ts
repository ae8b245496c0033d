import { KarloError } from '../errors.js';
import { isTooManyFiles } from './open-files.js';
import { packageJson } from './package.js';

/** What needs packages that are not installed with this one, and how to install them. */
export interface OptionalPackages {
  /** The command, the flag or the module that needs them. */
  readonly purpose: string;
  /** How to install them, as the last part of the message. */
  readonly install: () => string;
}

/** The libraries of the servers. */
export const serverPackages: OptionalPackages = {
  purpose: 'the server',
  install() {
    const name = `karlo-serve@${packageJson().version}`;
    return `npm install ${name}. With pnpm, Yarn or a global installation, then run karlo-serve instead of karlo serve, karlo-worker instead of karlo worker, and karlo-mcp instead of karlo mcp. Without installing: npx ${name}`;
  },
};

/** The libraries of a queue. They are separate, because a package that they depend on has an install script. */
export const queuePackages: OptionalPackages = {
  purpose: '--queue',
  install() {
    const { peerDependencies } = packageJson();
    const major = (name: string) => /\d+/.exec(peerDependencies[name] ?? '')?.[0];
    return `npm install ${['bullmq', 'ioredis'].map((name) => `${name}@${major(name)}`).join(' ')}`;
  },
};

/** The AI SDK, whose models `karlo/ai-sdk` implements. */
export const aiPackage: OptionalPackages = {
  purpose: 'karlo/ai-sdk',
  install: () => 'npm install ai',
};

/**
 * Imports modules that need optional packages.
 * @throws {KarloError} ERR_KARLO_PACKAGE_MISSING, with the command that installs them
 */
export async function importWith<T>(
  { purpose, install }: OptionalPackages,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const missing = missingPackage(cause);
    if (missing === undefined || isTooManyFiles(cause)) throw cause;
    const message = `Expected the packages that ${purpose} requires but ${missing} is not installed. Install them: ${install()}`;
    throw new KarloError('ERR_KARLO_PACKAGE_MISSING', message, { cause });
  }
}

function missingPackage(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return undefined;
  return /'((?:@[\w.-]+\/)?[\w.-]+)'/.exec(message)?.[1];
}
