import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { judgePower, type Supply } from '../../src/host/power-supplies.ts';

const NONE: Supply = { type: '', online: '', status: '', scope: '', present: '', powerRoles: [] };
const mains = (online: string, more: Partial<Supply> = {}): Supply => ({ ...NONE, type: 'Mains', online, ...more });
const battery = (status: string, more: Partial<Supply> = {}): Supply => ({
  ...NONE,
  type: 'Battery',
  status,
  present: '1',
  ...more,
});
const usb = (online: string, ...powerRoles: readonly string[]): Supply => ({
  ...NONE,
  type: 'USB',
  online,
  powerRoles,
});

describe('what powers the host', () => {
  it.each<[string, string, readonly Supply[]]>([
    ['nothing that says', 'unknown', []],
    ['mains', 'ac', [mains('1')]],
    ['a laptop that is plugged in', 'ac', [mains('1'), battery('Charging')]],
    ['a laptop on a weak charger', 'ac', [battery('Discharging'), mains('1')]],
    ['a laptop', 'battery', [mains('0'), battery('Discharging')]],
    ['a laptop with two batteries', 'battery', [battery('Full'), mains('0'), battery('Discharging')]],
    ['a laptop whose battery does not say', 'battery', [mains('0'), battery('')]],
    ['a laptop with an empty bay', 'unknown', [battery('', { present: '0' }), mains('0')]],
    ['a full battery alone', 'unknown', [battery('Full')]],
    ['a battery that is being charged by something unseen', 'ac', [battery('Charging')]],
    ['a server with a UPS on the mains', 'ac', [{ ...battery('Charging'), type: 'UPS' }]],
    ['a server with a UPS during an outage', 'battery', [{ ...battery('Discharging'), type: 'UPS', online: '1' }]],
    ['a server with a mouse', 'unknown', [battery('Discharging', { scope: 'Device' })]],
    ['a laptop with the charger of a tablet', 'battery', [mains('1', { scope: 'Device' }), battery('Discharging')]],
    ['USB', 'ac', [usb('1'), battery('Discharging')]],
    ['programmable USB-C', 'ac', [usb('2', 'source [sink]'), battery('Charging')]],
    ['USB-C that powers a telephone', 'battery', [usb('1', '[source] sink'), battery('Discharging')]],
    ['USB-C at two ports', 'ac', [usb('1', '[source] sink', 'source [sink]'), battery('Discharging')]],
    [
      'something that is not what it should be',
      'battery',
      [mains('yes'), mains('-1'), mains(''), battery('Discharging')],
    ],
    ['a supply without a type', 'battery', [{ ...NONE, online: '1' }, battery('Discharging')]],
    ['a wireless charger', 'ac', [{ ...NONE, type: 'Wireless', online: '1' }, battery('Discharging')]],
  ])('%s: %s', (_what, power, supplies) => {
    expect(judgePower(supplies)).toBe(power);
  });
});

test('the order of supplies does not matter', () => {
  const supply = fc.record<Supply>({
    type: fc.constantFrom('Mains', 'USB', 'Battery', 'UPS', ''),
    online: fc.constantFrom('', '0', '1'),
    status: fc.constantFrom('', 'Charging', 'Discharging', 'Full'),
    scope: fc.constantFrom('', 'System', 'Device'),
    present: fc.constantFrom('', '0', '1'),
    powerRoles: fc.constantFrom([], ['[source] sink'], ['source [sink]']),
  });
  fc.assert(
    fc.property(fc.array(supply, { maxLength: 5 }), (supplies) => {
      expect(judgePower(supplies.toReversed())).toBe(judgePower(supplies));
    }),
  );
});
