import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, MalformedMessageError } from '../../src/bus/codec.ts';
import { Framer } from '../../src/bus/framing.ts';

function message(text: string): Buffer {
  return encodeMessage({ type: 4, serial: 1, path: '/a', interface: 'a.b', member: 'C', signature: 's', body: [text] });
}

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

describe('Framer', () => {
  it('finds the messages however the stream is cut, and passes over those that are too long', () => {
    const stream = ['a', 'b'.repeat(300), '', 'c'.repeat(5000), 'd'].map(message);
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 12 }), (cuts) => {
        const oversize: number[] = [];
        const framer = new Framer(1000, (bytes) => oversize.push(bytes));
        const found = pieces(Buffer.concat(stream), cuts).flatMap((piece) => [...framer.push(piece)]);
        expect(found.map((frame) => frame.toString('hex'))).toEqual(
          [0, 1, 2, 4].map((index) => stream[index]!.toString('hex')),
        );
        expect(oversize).toEqual([stream[3]!.length]);
      }),
    );
  });

  it('works byte by byte', () => {
    const framer = new Framer(1000, () => undefined);
    const found = [...message('x')].flatMap((byte) => [...framer.push(Buffer.from([byte]))]);
    expect(found).toEqual([message('x')]);
  });

  it('refuses what is no message before anything is held', () => {
    expect(() => [...new Framer(1000, () => undefined).push(Buffer.from('HTTP/1.1 200 OK\r\n'))]).toThrow(
      MalformedMessageError,
    );
  });
});
