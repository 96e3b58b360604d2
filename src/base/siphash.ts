const MASK = 0xffff_ffff_ffff_ffffn;
const FINAL_ROUNDS = 3;

/**
 * SipHash-1-3 with the all-zero key, an unsigned 64-bit number. Update servers hash node ids with it, since it is what
 * Rust's standard hasher computes.
 */
export function sipHash13(bytes: Uint8Array): bigint {
  const v: State = [0x736f6d6570736575n, 0x646f72616e646f6dn, 0x6c7967656e657261n, 0x7465646279746573n];
  const whole = bytes.length - (bytes.length % 8);
  for (let start = 0; start < whole; start += 8) absorb(v, littleEndian(bytes.subarray(start, start + 8)));
  absorb(v, littleEndian(bytes.subarray(whole)) | (BigInt(bytes.length & 0xff) << 56n));
  v[2] ^= 0xffn;
  for (let round = 0; round < FINAL_ROUNDS; round += 1) mix(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

type State = [bigint, bigint, bigint, bigint];

function absorb(v: State, word: bigint): void {
  v[3] ^= word;
  mix(v);
  v[0] ^= word;
}

function mix(v: State): void {
  v[0] = (v[0] + v[1]) & MASK;
  v[1] = rotate(v[1], 13n) ^ v[0];
  v[0] = rotate(v[0], 32n);
  v[2] = (v[2] + v[3]) & MASK;
  v[3] = rotate(v[3], 16n) ^ v[2];
  v[0] = (v[0] + v[3]) & MASK;
  v[3] = rotate(v[3], 21n) ^ v[0];
  v[2] = (v[2] + v[1]) & MASK;
  v[1] = rotate(v[1], 17n) ^ v[2];
  v[2] = rotate(v[2], 32n);
}

function rotate(word: bigint, bits: bigint): bigint {
  return ((word << bits) | (word >> (64n - bits))) & MASK;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
}
