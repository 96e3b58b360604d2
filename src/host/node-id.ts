import { createHmac } from 'node:crypto';
import { oneLine } from '../base/text.ts';

/** Public constant that sets these ids apart from others derived from the same machine id. */
const APP_ID = 'de35106b6ec24688b63afddaa156679b';

/**
 * The id under which update servers and lock managers know this host: 32 lower-case hex digits, the same as zincati's.
 * Derived from the text of `/etc/machine-id`, which is itself not to be given away. Throws when that is no machine id.
 */
export function nodeId(machineId: string): string {
  const text = machineId.trim();
  if (!/^[0-9a-f]{32}$/i.test(text)) {
    throw new Error(`machine id: expected 32 hexadecimal digits, found "${oneLine(text, 40)}"`);
  }
  const id = createHmac('sha256', Buffer.from(text, 'hex')).update(Buffer.from(APP_ID, 'hex')).digest().subarray(0, 16);
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x40, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return id.toString('hex');
}
