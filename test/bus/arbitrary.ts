import fc from 'fast-check';
import { readSingleType, type TypeTree } from '../../src/bus/signature.ts';
import { Variant } from '../../src/bus/api.ts';

/** Signatures of one complete type, and values of a type. */
export const typeSignature: fc.Arbitrary<string> = fc
  .letrec<{ type: string; basic: string }>((tie) => ({
    basic: fc.stringMatching(/^[ybnqiuxtdsog]$/),
    type: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('basic'),
      fc.constant('v'),
      fc.constant('ay'),
      tie('type').map((element) => `a${element}`),
      fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map((members) => `(${members.join('')})`),
      fc.tuple(tie('basic'), tie('type')).map(([key, value]) => `a{${key}${value}}`),
    ),
  }))
  .type.filter((signature) => signature.length < 60);

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((value) => !value.includes('\0'));
const path = fc.array(fc.stringMatching(/^[A-Za-z0-9_]{1,4}$/), { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
// The marshaller sends -0 as 0.
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));

const BASIC: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  y: fc.integer({ min: 0, max: 255 }),
  b: fc.boolean(),
  n: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  q: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
  i: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  u: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  x: fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }),
  t: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  d: double,
  s: text,
  o: path,
  g: typeSignature,
};

/** Values of a type as the codec decodes them. */
export function valueOf(type: TypeTree): fc.Arbitrary<unknown> {
  const basic = BASIC[type.type];
  if (basic !== undefined) return basic;
  const element = type.child[0];
  if (type.type === 'v') return variant;
  if (type.type === '(') return fc.tuple(...type.child.map(valueOf));
  if (element?.type === 'y') return fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes));
  if (element?.type === '{') return dictionary(element);
  return fc.array(valueOf(element!), { maxLength: 3 });
}

function dictionary(entry: TypeTree): fc.Arbitrary<unknown> {
  const [keyType, valueType] = entry.child;
  const isText = 's' === keyType!.type;
  const special = isText ? [fc.constantFrom('__proto__', 'constructor', 'toString')] : [];
  const key = fc.oneof(valueOf(keyType!), ...special).map(String);
  return fc
    .array(fc.tuple(key, valueOf(valueType!)), { maxLength: 3 })
    .map((entries) => Object.assign(Object.create(null), Object.fromEntries(entries)) as unknown);
}

const variant: fc.Arbitrary<Variant> = fc
  .constantFrom('s', 'b', 't', 'ay', 'as', '(si)', 'a{ss}')
  .chain((signature) => valueOf(readSingleType(signature)).map((value) => new Variant(signature, value)));

/** A body with its signature. */
export const typedBody: fc.Arbitrary<{ signature: string; body: unknown[] }> = fc
  .array(typeSignature, { maxLength: 4 })
  .chain((signatures) =>
    fc
      .tuple(...signatures.map((signature) => valueOf(readSingleType(signature))))
      .map((body) => ({ signature: signatures.join(''), body })),
  );
