import { corrupt } from '../corrupt.js';
import { callGlobal, loadStorage, resolveGlobal } from './globals.js';
import { PickleBytes, PickleMachine } from './machine.js';
import { isKind, kindOf, type PickleSequence, type PickleValue } from './values.js';

const STOP = 0x2e;
const PROTOCOL = 0x80;

/**
 * Reads a pickle without executing it: containers, numbers, strings and PyTorch's tensors become
 * values, instances of TorchScript's classes become inert records, other globals are rejected by name.
 * Time and memory are linear in the pickle's length.
 * @param file its name, for messages
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT
 */
export function unpickle(pickle: Uint8Array, file: string): PickleValue {
  const bytes = new PickleBytes(pickle, file);
  const machine = new PickleMachine(bytes);
  if (pickle[0] !== PROTOCOL) throw corrupt('protocol 2 to 5', 'pickle', file, 'none or older');
  for (;;) {
    const opcode = bytes.uint8();
    if (opcode === STOP) return machine.pop();
    const operation = OPERATIONS.get(opcode);
    if (!operation) {
      const received = `0x${opcode.toString(16).padStart(2, '0')}`;
      throw corrupt('an opcode that PyTorch writes', `byte ${bytes.at - 1}`, file, received);
    }
    operation(machine);
  }
}

type Operation = (machine: PickleMachine) => void;

const constant =
  (value: PickleValue): Operation =>
  (m) =>
    m.push(value);

const sequence =
  (kind: PickleSequence['kind'], take: (m: PickleMachine) => PickleValue[]): Operation =>
  (m) =>
    m.build({ kind, items: take(m) });

const none = () => [];
const marked = (m: PickleMachine) => m.popMark();

function last(count: number) {
  return (m: PickleMachine) => Array.from({ length: count }, () => m.pop()).reverse();
}

/**
 * The opcodes of protocols 2 to 5 that `torch.save` and TorchScript write. All others (text forms,
 * INST, OBJ, extensions, out-of-band buffers) are rejected.
 */
const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  // Framing
  [0x80, protocol],
  [0x95, frame],
  // Constants and numbers
  [0x4e, constant(null)],
  [0x88, constant(true)],
  [0x89, constant(false)],
  [0x4a, (m) => m.push(m.bytes.int32())],
  [0x4b, (m) => m.push(m.bytes.uint8())],
  [0x4d, (m) => m.push(m.bytes.uint16())],
  [0x8a, (m) => m.push(m.bytes.long(m.bytes.uint8()))],
  [0x8b, (m) => m.push(m.bytes.long(m.bytes.int32()))],
  [0x47, (m) => m.push(m.bytes.float64())],
  // Strings: BINUNICODE, its short and long forms, Python 2's, bytes
  [0x58, (m) => m.build(m.bytes.text(m.bytes.uint32()))],
  [0x8c, (m) => m.build(m.bytes.text(m.bytes.uint8()))],
  [0x8d, (m) => m.build(m.bytes.text(m.bytes.uint64()))],
  [0x54, (m) => m.build(m.bytes.text(m.bytes.int32()))],
  [0x55, (m) => m.build(m.bytes.text(m.bytes.uint8()))],
  [0x42, (m) => m.build(m.bytes.raw(m.bytes.uint32()))],
  [0x43, (m) => m.build(m.bytes.raw(m.bytes.uint8()))],
  [0x8e, (m) => m.build(m.bytes.raw(m.bytes.uint64()))],
  [0x96, (m) => m.build(m.bytes.raw(m.bytes.uint64()))],
  // Containers
  [0x28, (m) => m.mark()],
  [0x29, sequence('tuple', none)],
  [0x85, sequence('tuple', last(1))],
  [0x86, sequence('tuple', last(2))],
  [0x87, sequence('tuple', last(3))],
  [0x74, sequence('tuple', marked)],
  [0x5d, sequence('list', none)],
  [0x6c, sequence('list', marked)],
  [0x8f, sequence('set', none)],
  [0x91, sequence('set', marked)],
  [0x7d, (m) => m.build({ kind: 'dict', entries: new Map() })],
  [0x61, (m) => m.append([m.pop()])],
  [0x65, (m) => m.append(m.popMark())],
  [0x90, (m) => m.append(m.popMark())],
  [0x73, setItem],
  [0x75, (m) => m.setItems(m.popMark())],
  // Stack and memo
  [0x30, (m) => m.drop()],
  [0x31, (m) => void m.popMark()],
  [0x32, (m) => m.push(m.top())],
  [0x71, (m) => m.put(m.bytes.uint8())],
  [0x72, (m) => m.put(m.bytes.uint32())],
  [0x94, (m) => m.memoize()],
  [0x68, (m) => m.get(m.bytes.uint8())],
  [0x6a, (m) => m.get(m.bytes.uint32())],
  // Globals and objects
  [0x63, (m) => m.build(resolveGlobal(m.bytes.line(), m.bytes.line(), m.file))],
  [0x93, stackGlobal],
  [0x51, (m) => m.build(loadStorage(m.pop(), m.file))],
  [0x52, call],
  [0x81, call],
  [0x92, callWithKeywords],
  [0x62, setState],
]);

function protocol(m: PickleMachine): void {
  const version = m.bytes.uint8();
  if (version < 2 || version > 5) throw corrupt('2 to 5', 'pickle protocol', m.file, version);
}

function frame(m: PickleMachine): void {
  const left = m.bytes.length - m.bytes.at - 8;
  const length = m.bytes.uint64();
  if (length > left) throw corrupt(`at most ${left} bytes`, 'pickle frame', m.file, length);
}

function setItem(m: PickleMachine): void {
  const value = m.pop();
  m.setItems([m.pop(), value]);
}

function stackGlobal(m: PickleMachine): void {
  const name = m.pop();
  const module = m.pop();
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw corrupt('two strings', 'a pickled global', m.file, `${kindOf(module)}, ${kindOf(name)}`);
  }
  m.build(resolveGlobal(module, name, m.file));
}

function call(m: PickleMachine): void {
  const args = m.pop();
  m.build(callGlobal(m.pop(), args, m.file));
}

function callWithKeywords(m: PickleMachine): void {
  const keywords = m.pop();
  if (!isKind(keywords, 'dict') || keywords.entries.size > 0) {
    throw corrupt('no keyword arguments', 'a pickled call', m.file, kindOf(keywords));
  }
  call(m);
}

/** BUILD: keeps a record's state, and ignores a dict's attributes (`_metadata`). */
function setState(m: PickleMachine): void {
  const state = m.pop();
  const target = m.top();
  if (isKind(target, 'dict')) return;
  if (!isKind(target, 'record') || target.state !== null) {
    throw corrupt('a fresh object', 'a pickled state', m.file, kindOf(target));
  }
  target.state = state;
}
