/** Whether an error comes from the operating system (a full disk, say, or a missing file). */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
