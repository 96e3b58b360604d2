import { describe, expect, test } from 'vitest';
import { sipHash13 } from '../../src/base/siphash.ts';

// Computed by CPython 3.11, whose hash of bytes is SipHash-1-3, with its key set to zero (PYTHONHASHSEED=0).
const OF_COUNTING_BYTES = [
  '68a914128e01e473',
  '010bac45c41e3669',
  '4d4c9a4a8ef6e0ad',
  '7cc43f98813e4dbd',
  '5abe2169dff36275',
  'e3c25f87624f1cdb',
  '2f098ab0c751325a',
  'ead411e67ebe2eea',
  '75927f9d95124362',
  'af9f77a65ab51a1d',
  'fe64ce8b6617fcff',
  'a6baf4fb0f9fe1c2',
  'a0cf3211850f8e0d',
  '7f86049379fbfe67',
  'f30eb725bb91c9ea',
  '8972188433a5c5b7',
];

describe('sipHash13', () => {
  test.each(OF_COUNTING_BYTES.map((hex, index) => [index + 1, hex] as const))('of %i bytes', (length, hex) => {
    const bytes = Uint8Array.from({ length }, (_, index) => index);
    expect(sipHash13(bytes).toString(16).padStart(16, '0')).toBe(hex);
  });
});
