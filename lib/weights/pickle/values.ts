import type { DType } from '../dtypes.js';

/** A value in a pickle. Containers can be shared and cyclic: never walk them recursively. */
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

/** A dict's key. Objects, such as Lightning's callback classes, are different keys even if they are equal. */
export type PickleKey =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleGlobal
  | PickleRecord
  | (PickleSequence & { kind: 'tuple' });

/** A list, a tuple or a set. */
export interface PickleSequence {
  kind: 'list' | 'tuple' | 'set';
  items: PickleValue[];
}

export interface PickleDict {
  kind: 'dict';
  entries: Map<PickleKey, PickleValue>;
}

/** A known class or function by name; it is never imported. */
export interface PickleGlobal {
  kind: 'global';
  /** `module.name` */
  name: string;
}

/** An instance of a class that has no meaning here, with its state as stored. */
export interface PickleRecord {
  kind: 'record';
  className: string;
  state: PickleValue;
}

/** A storage, whose bytes are in another record of the archive. */
export interface PickleStorage {
  kind: 'storage';
  dtype: DType;
  key: string;
  elements: number;
}

/** A view of a storage, within its bounds. Offset and strides count elements. */
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

/** A dict's key, for messages. */
export function nameOf(key: PickleKey): string {
  return typeof key === 'object' ? kindOf(key) : String(key);
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
