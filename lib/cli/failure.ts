import { CommanderError } from 'commander';
import { KarloError } from '../errors.js';

/** An error as a line for people. An error without a code is a fault of the program: with its stack. */
export function failureText(error: unknown): string {
  const code = codeOf(error);
  if (code !== null) return `${code}: ${(error as Error).message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** An error as `--json` prints it. */
export function failureJson(error: unknown): { code: string | null; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  return { code: codeOf(error), message: message.replace(/^error: /, '') };
}

function codeOf(error: unknown): string | null {
  if (error instanceof CommanderError) return 'ERR_KARLO_INVALID_ARGUMENT';
  if (error instanceof KarloError) return error.code;
  return ((error as { code?: unknown } | null)?.code as string | undefined) ?? null;
}
