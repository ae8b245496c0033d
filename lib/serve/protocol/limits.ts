/** Bytes of a request body that is not a form. */
export const bodyLimit = 256 * 1024;

/** Limits of a form, without those of its files. */
export const formLimits = {
  files: 1,
  fields: 30,
  parts: 31,
  fieldSize: 64 * 1024,
  fieldNameSize: 100,
} as const;
