import fc from 'fast-check';
import { marshall } from 'dbus-next/lib/message.js';
import { describe, expect, it } from 'vitest';
import { Variant } from '../../src/bus/api.ts';
import {
  decodeMessage,
  encodeMessage,
  MalformedMessageError,
  MESSAGE_TYPE,
  type Outgoing,
  OversizeMessageError,
} from '../../src/bus/codec.ts';
import { typedBody } from './arbitrary.ts';

const CALL: Outgoing = { type: MESSAGE_TYPE.call, serial: 7, path: '/a', interface: 'a.b', member: 'C' };

function reread(signature: string, body: readonly unknown[]): readonly unknown[] {
  return decodeMessage(encodeMessage({ ...CALL, signature, body })).body();
}

/** A message whose body is these bytes. */
function withBody(signature: string, body: Buffer): Buffer {
  const start = encodeMessage({
    ...CALL,
    signature: 'y'.repeat(signature.length),
    body: Array<number>(signature.length).fill(0),
  });
  const header = Buffer.from(start.subarray(0, start.length - signature.length));
  header.write(signature, header.indexOf('y'.repeat(signature.length)), 'latin1');
  header.writeUInt32LE(body.length, 4);
  return Buffer.concat([header, body]);
}

function bytes(...parts: readonly (number | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      const word = Buffer.alloc(4);
      word.writeUInt32LE(part);
      return word;
    }),
  );
}

describe('a message', () => {
  it('comes back as it was sent', () => {
    const message: Outgoing = {
      ...CALL,
      type: MESSAGE_TYPE.error,
      flags: 3,
      serial: 0xffff_ffff,
      errorName: 'x.Y',
      replySerial: 9,
      destination: ':1.5',
      sender: 'a.b',
      signature: 's',
      body: ['why'],
    };
    const { body, ...header } = decodeMessage(encodeMessage(message));
    expect({ ...header, body: body() }).toEqual(message);
  });

  it('comes back for every signature and value', () => {
    fc.assert(
      fc.property(typedBody, ({ signature, body }) => {
        expect(reread(signature, body)).toEqual(body);
      }),
      { numRuns: 1000 },
    );
  });

  it('is not changed by being encoded', () => {
    const body = [{ a: new Variant('s', 'x') }];
    encodeMessage({ ...CALL, signature: 'a{sv}', body });
    expect(body).toEqual([{ a: new Variant('s', 'x') }]);
  });

  it('takes dangerous keys for what they are', () => {
    const sent = JSON.parse('{"__proto__":"p","constructor":"c"}') as unknown;
    const [dictionary] = reread('a{ss}', [sent]) as [Record<string, unknown>];
    expect(Object.keys(dictionary)).toEqual(['__proto__', 'constructor']);
    expect('toString' in dictionary).toBe(false);
    expect(({} as Record<string, unknown>)['p']).toBeUndefined();
  });

  it('gives the smallest and largest 64-bit numbers', () => {
    expect(reread('xt', [-(2n ** 63n) + 1n, 2n ** 64n - 1n])).toEqual([-(2n ** 63n) + 1n, 2n ** 64n - 1n]);
    const smallest = withBody('x', bytes(0, 0x8000_0000));
    expect(decodeMessage(smallest).body()).toEqual([-(2n ** 63n)]);
  });

  it('is read in big-endian order too', () => {
    const hex = [
      '42040001 00000018 00000003 0000002c', // B, signal, flags, version; body, serial, fields
      '01016f00 00000002 2f610000 00000000', // path /a
      '02017300 00000003 612e6200 00000000', // interface a.b
      '03017300 00000001 43000000 00000000', // member C
      '08016700 027475 00'.replaceAll(' ', ''),
    ].join('');
    const fields = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    fields.writeUInt32BE(fields.length - 16, 12);
    const body = Buffer.from('0000000100000002 00000007'.replaceAll(' ', ''), 'hex');
    fields.writeUInt32BE(body.length, 4);
    const message = decodeMessage(Buffer.concat([fields, body]));
    expect(message).toMatchObject({ serial: 3, path: '/a', interface: 'a.b', member: 'C', signature: 'tu' });
    expect(message.body()).toEqual([2n ** 32n + 2n, 7]);
  });

  it('of a type or with header fields that are not known yet is read', () => {
    const start = encodeMessage({ ...CALL, signature: 's', body: ['x'] });
    start[1] = 9;
    expect(decodeMessage(start).type).toBe(9);
    start[start.indexOf('\x02\x01s\0')] = 77;
    expect(decodeMessage(start).interface).toBeUndefined();
  });
});

describe('encodeMessage refuses', () => {
  it.each<[string, unknown[], string]>([
    ['s', [], 'expected 1 values'],
    ['s', [1], 'body[0]: expected a string, found number'],
    ['s', ['a\0b'], 'null byte'],
    ['a{sv}', [{ reboot: true }], 'body[0]["reboot"]: expected a Variant, found boolean'],
    ['a{sv}', [{ reboot: new Variant('b', 'yes') }], 'body[0]["reboot"]: expected a boolean, found string'],
    ['a{ss}', [{ a: new Variant('s', 'x') }], 'body[0]["a"]: expected a string, found a Variant'],
    ['a{us}', [{ a: 'x' }], 'body[0]["a"]: expected a number, found string'],
    ['as', ['x'], 'body[0]: expected an array, found string'],
    ['(ss)', [['x']], 'body[0]: expected an array of 2 values'],
    ['y', [256], 'outside range'],
    ['u', [1.5], 'not an integer'],
    ['o', ['a'], 'an object path'],
    ['g', ['a'], 'Bad signature'],
    ['h', [0], 'file descriptors'],
    ['v', [new Variant('ss', ['a', 'b'])], 'one complete type'],
    ['s', [null], 'found null'],
    ['d', [Number.NaN], 'not a number'],
  ])('%s %j', (signature, body, message) => {
    expect(() => encodeMessage({ ...CALL, signature, body })).toThrow(message);
  });

  it('a 64-bit number that is too large', () => {
    expect(() => encodeMessage({ ...CALL, signature: 'x', body: [2n ** 63n] })).toThrow('out of range');
    expect(() => encodeMessage({ ...CALL, signature: 't', body: [-1n] })).toThrow('out of range');
  });

  it.each<Partial<Outgoing>>([
    { member: 'a-b' },
    { path: 'x' },
    { path: '/a/' },
    { interface: 'nodot' },
    { destination: 'x y' },
    { destination: ":1'" },
    { errorName: 'x' },
  ])('the name in %j', (fields) => {
    expect(() => encodeMessage({ ...CALL, ...fields })).toThrow('not a valid D-Bus name');
  });
});

describe('decodeMessage refuses', () => {
  const valid = encodeMessage({ ...CALL, signature: 'sv', body: ['hello', new Variant('as', ['x'])] });

  it.each<[string, (bytes: Buffer) => void]>([
    ['another byte order', (copy) => copy.writeUInt8(0x62, 0)],
    ['message type 0', (copy) => copy.writeUInt8(0, 1)],
    ['another protocol version', (copy) => copy.writeUInt8(2, 3)],
    ['serial 0', (copy) => copy.writeUInt32LE(0, 8)],
    ['a body longer than the message', (copy) => copy.writeUInt32LE(4000, 4)],
    ['fields longer than the message', (copy) => copy.writeUInt32LE(4000, 12)],
    ['an absurd body', (copy) => copy.writeUInt32LE(0xffff_ffff, 4)],
    ['absurd fields', (copy) => copy.writeUInt32LE(0xffff_ffff, 12)],
  ])('%s', (_, spoil) => {
    const copy = Buffer.from(valid);
    spoil(copy);
    expect(() => decodeMessage(copy)).toThrow(MalformedMessageError);
  });

  it.each([0, 1, 15, 16, 40])('a message cut after %i bytes', (length) => {
    expect(() => decodeMessage(valid.subarray(0, length))).toThrow(MalformedMessageError);
  });

  it('a message without a required field', () => {
    for (const field of ['path', 'member'] as const)
      expect(() => decodeMessage(encodeMessage({ ...CALL, [field]: undefined }))).toThrow(`has no ${field}`);
    const signal = { ...CALL, type: MESSAGE_TYPE.signal, interface: undefined };
    expect(() => decodeMessage(encodeMessage(signal))).toThrow('has no interface');
    expect(() => decodeMessage(encodeMessage({ type: MESSAGE_TYPE.reply, serial: 1 }))).toThrow('has no replySerial');
    expect(() => decodeMessage(encodeMessage({ type: MESSAGE_TYPE.error, serial: 1, replySerial: 1 }))).toThrow(
      'errorName',
    );
  });

  it('a field given twice, or of another type', () => {
    const twice = encodeMessage(CALL);
    twice[twice.indexOf('\x03\x01s\0')] = 2;
    expect(() => decodeMessage(twice)).toThrow('given twice');
    const wrong = encodeMessage(CALL);
    wrong[wrong.indexOf('\x01\x01o\0') + 2] = 's'.charCodeAt(0);
    expect(() => decodeMessage(wrong)).toThrow('not of type o');
  });

  it.each<[string, string, Buffer]>([
    ['a string longer than the message', 's', bytes(100, 'abc\0')],
    ['a string of 4 GiB', 's', bytes(0xffff_ffff, 'abc\0')],
    ['a string without its NUL', 's', bytes(3, 'abcd')],
    ['a string that ends at the end', 's', bytes(4, 'abcd')],
    ['a boolean of 2', 'b', bytes(2)],
    ['an array longer than the message', 'as', bytes(100, 1, 'a\0')],
    ['an array of 4 GiB', 'ay', bytes(0xffff_ffff)],
    ['an array that ends within an element', 'asy', bytes(5, 1, 'a\0', 'x')],
    ['a signature longer than the message', 'g', bytes('\xffs\0')],
    ['a variant of empty structs', 'v', bytes('\x03a()\0\0\0\0', 8, 1, 2, 3)],
    ['a variant without a type', 'v', bytes('\0\0')],
    ['a variant of two types', 'v', bytes('\x02yy\0\0\0')],
    ['a variant of an unknown type', 'v', bytes('\x01z\0\0')],
    ['a variant with half a dictionary', 'v', bytes('\x04a{s}\0\0\0', 0)],
    ['a body that goes on', 'y', bytes(1, 2)],
    ['a body that is too short', 'uu', bytes(1)],
    ['an alignment beyond the end', 'yt', bytes('x')],
    ['variants nested for ever', 'v', bytes('\x01v\0'.repeat(70), '\x01y\0\0')],
    ['an invalid signature', 'a', bytes(0)],
    ['an empty struct', '()', bytes(0)],
  ])('%s', (_, signature, body) => {
    const message = decodeMessage(withBody(signature, body));
    expect(() => message.body()).toThrow(MalformedMessageError);
  });

  it('a body without a signature', () => {
    expect(() => decodeMessage(withBody('', bytes(1)))).toThrow('without a signature');
  });

  it('more values than we would hold, as oversize', () => {
    const many = withBody(
      'av',
      Buffer.concat([bytes(1_200_000), Buffer.from('\x01y\0\x07'.repeat(300_000), 'latin1')]),
    );
    expect(() => decodeMessage(many).body()).toThrow(OversizeMessageError);
  });
});

describe('decodeMessage', () => {
  it('holds whatever bytes are changed, cut or added', () => {
    const samples = [
      encodeMessage({ ...CALL, signature: 'sv', body: ['hello', new Variant('a{sv}', { k: new Variant('t', 5n) })] }),
      encodeMessage({
        ...CALL,
        type: MESSAGE_TYPE.signal,
        signature: 'aa{s(ib)}ay',
        body: [[{ x: [1, true] }], Buffer.from('abc')],
      }),
      encodeMessage({ ...CALL, type: MESSAGE_TYPE.reply, replySerial: 3, signature: 'adg', body: [[1.5, 2], 'a(s)'] }),
    ];
    const change = fc.tuple(fc.nat(400), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('avsg(){}y'))));
    let read = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(change, { maxLength: 6 }),
        fc.nat(3),
        (sample, changes, cut) => {
          const copy = Buffer.from(sample);
          for (const [at, value] of changes) copy[at % copy.length] = value;
          try {
            decodeMessage(cut === 3 ? copy.subarray(0, copy.length - (changes[0]?.[0] ?? 0)) : copy).body();
            read += 1;
          } catch (error) {
            if (!(error instanceof MalformedMessageError) && !(error instanceof OversizeMessageError)) throw error;
          }
        },
      ),
      { numRuns: 5000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it('reads what the marshaller of the package alone has written', () => {
    const [sent] = marshall({ ...CALL, signature: 'su', body: ['a', 1] });
    expect(decodeMessage(sent).body()).toEqual(['a', 1]);
  });
});
