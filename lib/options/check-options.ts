import type { OptionDescription, OptionTable, StageOption } from './descriptions.js';
import { deviceName } from './device-name.js';
import {
  boolean,
  bytes,
  callback,
  check,
  type Interval,
  integer,
  interval,
  labelOf,
  number,
  oneOf,
  type RawOptions,
  type Scope,
  signal,
  text,
} from './validate.js';

/** An option whose check depends only on its description. */
type SimpleOption = Exclude<OptionDescription, StageOption | { kind: 'seeds' | 'respacing' }>;

type SimpleValue<D> = D extends { kind: 'integer' | 'number' | 'bytes' }
  ? number
  : D extends { kind: 'interval' }
    ? Interval
    : D extends { choices: readonly (infer Choice)[] }
      ? Choice
      : D extends { kind: 'boolean' }
        ? boolean
        : D extends { kind: 'signal' }
          ? AbortSignal
          : D extends { kind: 'callback' | 'check' }
            ? unknown
            : string;

type Checked<D> = SimpleValue<D> | (D extends { default: unknown } ? never : undefined);

/** The simple options of a table, checked and with their defaults. */
export type CheckedOptions<T extends OptionTable> = {
  readonly [K in keyof T as T[K] extends SimpleOption ? K : never]: Checked<T[K]>;
};

/** Checks the simple options of a table and adds their defaults; other options are left out. */
export function checkOptions<T extends OptionTable>(
  table: T,
  raw: RawOptions,
  scope: Scope,
): CheckedOptions<T> {
  const checked: Record<string, unknown> = {};
  for (const [name, description] of Object.entries(table)) {
    if (isSimple(description)) {
      checked[name] = checkOption(raw[name], description, labelOf(scope, name));
    }
  }
  return checked as CheckedOptions<T>;
}

function isSimple(description: OptionDescription): description is SimpleOption {
  return !['stage', 'seeds', 'respacing'].includes(description.kind);
}

function checkOption(value: unknown, description: SimpleOption, name: string): unknown {
  switch (description.kind) {
    case 'integer':
      return integer(value, description.range, name, description.default);
    case 'number':
      return number(value, description.range, name, description.default);
    case 'interval':
      return interval(value, description.range, name, description.default);
    case 'choice':
      return oneOf(value, description.choices, name, description.default);
    case 'text':
      return text(value, name, description.default, description);
    case 'device':
      return deviceName(value === undefined ? description.default : value, name);
    case 'boolean':
      return boolean(value, name, description.default);
    case 'bytes':
      return bytes(value, name);
    case 'signal':
      return signal(value, name);
    case 'check':
      return check(value, name, description.loads);
    case 'callback':
      return callback(value, name);
  }
}
