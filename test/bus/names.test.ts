import { expect, it } from 'vitest';
import { BusError, type NameState } from '../../src/bus/api.ts';
import { OwnNames } from '../../src/bus/names.ts';

const NAME = 'io.example.Name1';

type Asked = Parameters<ConstructorParameters<typeof OwnNames>[0]>;

it('tells why a name that was ours before the bus was lost is not ours on the next one', () => {
  const asked: Asked[] = [];
  const told: NameState[] = [];
  const names = new OwnNames((...question) => void asked.push(question));
  const refuse = (): void =>
    asked.at(-1)?.[4]?.(new BusError('org.freedesktop.DBus.Error.AccessDenied', 'not allowed'));
  names.request(NAME, {}, (state) => told.push(state));
  asked.at(-1)?.[3]?.([1]);
  names.changed(NAME, true);
  names.forget();
  names.renew();
  refuse();
  refuse();
  names.forget();
  names.renew();
  asked.at(-1)?.[3]?.([1]);
  expect(told.map((state) => (state.owned ? 'ours' : state.reason))).toEqual([
    'ours',
    'not connected to the bus',
    'not allowed',
    'not connected to the bus',
    'ours',
  ]);
});
