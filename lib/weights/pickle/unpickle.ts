import { corrupt } from '../corrupt.js';
import { PickleBytes } from './bytes.js';
import { PickleMachine } from './machine.js';
import { OPERATIONS } from './opcodes.js';
import type { PickleValue } from './values.js';

const STOP = 0x2e;
const PROTOCOL = 0x80;

/**
 * Reads a pickle without running it: containers, numbers, strings and PyTorch's tensors become
 * values, TorchScript's classes become inert records, any other global is refused by name.
 *
 * Time is linear in the pickle's length and memory bounded by it.
 * Throws `ERR_KARLO_MODEL_CORRUPT`, naming `file`.
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
