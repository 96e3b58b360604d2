import { describe, expect, it } from 'vitest';
import { parseAddress, systemBusAddress } from '../../src/bus/address.ts';

describe('parseAddress', () => {
  it.each([
    ['unix:path=/run/bus', [{ kind: 'path', name: '/run/bus' }]],
    ['unix:path=/run/a%20b%2c,guid=00ff', [{ kind: 'path', name: '/run/a b,' }]],
    ['unix:abstract=/tmp/x', [{ kind: 'abstract', name: '/tmp/x' }]],
    [
      'unix:path=/a;unix:path=/b;',
      [
        { kind: 'path', name: '/a' },
        { kind: 'path', name: '/b' },
      ],
    ],
    ['tcp:host=x,port=1;unix:path=/b', [{ kind: 'path', name: '/b' }]],
  ])('reads %s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });

  it.each([
    ['', 'it is empty'],
    ['tcp:host=x', '"tcp" is not supported'],
    ['unix:tmpdir=/tmp', 'neither path nor abstract'],
    ['unix:path=', '1 to 107 bytes'],
    ['unix:path=%00x', 'without NUL'],
    [`unix:path=/${'x'.repeat(200)}`, '1 to 107 bytes'],
    ['unix:path=/a,path=/b', 'given twice'],
    ['unix:path=/a,abstract=b', 'both path and abstract'],
    ['unix:path=/a%zz', '%XX'],
    ['unix:path', 'key=value'],
    ['/run/bus', 'transport and a colon'],
  ])('refuses %j', (text, message) => {
    expect(() => parseAddress(text)).toThrow(message);
  });
});

describe('systemBusAddress', () => {
  it('is taken from the environment', () => {
    expect(systemBusAddress({ DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/x' })).toBe('unix:path=/x');
  });

  it('defaults to the two usual sockets', () => {
    const sockets = parseAddress(systemBusAddress({ DBUS_SYSTEM_BUS_ADDRESS: '' }));
    expect(sockets.map(({ name }) => name)).toEqual(['/run/dbus/system_bus_socket', '/var/run/dbus/system_bus_socket']);
  });
});
