import { expect, test } from 'vitest';
import { nodeId } from '../../src/host/node-id.ts';

test.each([
  ['2e074e9b299c41a59923c51ae16f279b', '074c268827d74fb59ed758e8940cd667'],
  ['1c09ca98649c4c7abc779cd04c96812e', '978a225b3d7b40e9acd7ce9b62f68444'],
  ['1C09CA98649C4C7ABC779CD04C96812E\n', '978a225b3d7b40e9acd7ce9b62f68444'],
])('machine id %j is node %s', (machineId, id) => {
  expect(nodeId(machineId)).toBe(id);
});

test.each([
  '',
  'uninitialized\n',
  '2e074e9b299c41a59923c51ae16f279',
  '2e074e9b-299c-41a5-9923-c51ae16f279b',
  'g'.repeat(32),
])('%j is no machine id', (text) => {
  expect(() => nodeId(text)).toThrow(/expected 32 hexadecimal digits, found "/);
});
