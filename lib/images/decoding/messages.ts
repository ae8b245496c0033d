import { invalidArgument, KarloError } from '../../errors.js';
import type { TaskName, TaskOptions } from './tasks.js';

/** Asks for a task. The bytes of the image file follow on the standard input. */
export interface DecodingRequest {
  readonly task: TaskName;
  readonly options: TaskOptions;
  /** Bytes of the image file. */
  readonly size: number;
}

export type DecodingReply = { readonly result: unknown } | { readonly error: SentError };

/** An error between processes, which drop the classes and the properties of errors. */
interface SentError {
  readonly message: string;
  /** Whether the image is at fault: an ERR_KARLO_INVALID_ARGUMENT for `image`. */
  readonly isInvalid: boolean;
  readonly cause: string | undefined;
}

export function toSentError(error: unknown): SentError {
  const { message, cause } = error as Error;
  const isInvalid = error instanceof KarloError && error.code === 'ERR_KARLO_INVALID_ARGUMENT';
  return { message, isInvalid, cause: cause instanceof Error ? cause.message : undefined };
}

export function fromSentError({ message, isInvalid, cause: reason }: SentError): Error {
  const cause = reason === undefined ? undefined : new Error(reason);
  return isInvalid
    ? invalidArgument(message, { argument: 'image', cause })
    : new Error(message, { cause });
}
