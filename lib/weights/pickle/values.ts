import type { DType } from '../dtypes.js';

/** What a pickle may hold. Containers may be shared and cyclic: never walk them by recursion. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleRecord
  | PickleStorage
  | PickleTensor;

export type PickleKey = null | boolean | number | bigint | string;

/** A list, a tuple or a set. */
export interface PickleSequence {
  kind: 'list' | 'tuple' | 'set';
  items: PickleValue[];
}

export interface PickleDict {
  kind: 'dict';
  entries: Map<PickleKey, PickleValue>;
}

/** A known class or function, by name: nothing is ever imported. */
export interface PickleGlobal {
  kind: 'global';
  /** `module.name` */
  name: string;
}

/** An instance of a class that means nothing here: inert, its state kept as it came. */
export interface PickleRecord {
  kind: 'record';
  className: string;
  state: PickleValue;
}

/** A storage that the pickle refers to; its bytes are another record of the archive. */
export interface PickleStorage {
  kind: 'storage';
  dtype: DType;
  key: string;
  elements: number;
}

/** A view of a storage, offset and strides in elements; checked against `storage.elements`. */
export interface PickleTensor {
  kind: 'tensor';
  storage: PickleStorage;
  offset: number;
  shape: number[];
  strides: number[];
}

/** The kind of a value, for messages. */
export function kindOf(value: PickleValue | undefined): string {
  if (value === null) return 'None';
  if (value === undefined) return 'nothing';
  if (value instanceof Uint8Array) return 'bytes';
  if (typeof value !== 'object') return typeof value;
  if (value.kind === 'record') return value.className;
  return value.kind === 'global' ? value.name : value.kind;
}

export function isKind<K extends PickleKind>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: unknown }> & { kind: K } {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

type PickleKind = Extract<PickleValue, { kind: unknown }>['kind'];

export function isSequence(value: PickleValue | undefined): value is PickleSequence {
  return isKind(value, 'list') || isKind(value, 'tuple') || isKind(value, 'set');
}
