import type { Metered } from './api.ts';
import type { BusConnection } from './wire/bus.ts';
import { describe } from './wire/interface.ts';
import type { InterfaceSpec } from './wire/interface.ts';
import { propertiesChanged } from './wire/objects.ts';
import type { Served } from './wire/objects.ts';

const NETWORK_MANAGER = 'org.freedesktop.NetworkManager';
const TIMEDATE = 'org.freedesktop.timedate1';
const NETWORK_MANAGER_PATH = '/org/freedesktop/NetworkManager';

const NETWORK = describe(NETWORK_MANAGER, { properties: { Metered: 'u', Version: 's' } });
const CLOCK = describe(TIMEDATE, {
  properties: { Timezone: 's', LocalRTC: 'b', CanNTP: 'b', NTP: 'b', NTPSynchronized: 'b' },
});

/** NetworkManager's numbers. */
const METERED: Readonly<Record<Metered, number>> = { unknown: 0, yes: 1, no: 2, 'guess-yes': 3, 'guess-no': 4 };

/** NetworkManager and systemd-timedated of a machine, across its boots. */
export class Surroundings {
  private metered: Metered | null = 'guess-no';
  private clockSynced: boolean | null = true;
  private bus: BusConnection | null = null;

  /** Takes their names on the bus of a new boot, until that ends. */
  async appear(bus: BusConnection): Promise<void> {
    this.bus = bus;
    void bus.connection.closed.then(() => {
      if (this.bus === bus) this.bus = null;
    });
    if (this.metered !== null) await bus.own(NETWORK_MANAGER);
    if (this.clockSynced !== null) await bus.own(TIMEDATE);
  }

  /** Their objects, by path. */
  objects(): ReadonlyMap<string, readonly Served[]> {
    return new Map([
      ...served(NETWORK_MANAGER_PATH, NETWORK, this.network()),
      ...served('/org/freedesktop/timedate1', CLOCK, this.clock()),
    ]);
  }

  /** Null: NetworkManager is not there. */
  async setMetered(metered: Metered | null): Promise<void> {
    const before = this.metered;
    this.metered = metered;
    const values = this.network();
    await this.keepName(NETWORK_MANAGER, before, metered);
    if (before === null || values === null || before === metered) return;
    this.bus?.connection.emit(propertiesChanged(NETWORK_MANAGER_PATH, NETWORK, { Metered: values['Metered'] }));
  }

  /** Null: systemd-timedated is not there. It tells nobody, as the real one. */
  async setClockSynced(synced: boolean | null): Promise<void> {
    const before = this.clockSynced;
    this.clockSynced = synced;
    await this.keepName(TIMEDATE, before, synced);
  }

  private async keepName(name: string, before: unknown, now: unknown): Promise<void> {
    if (before === null && now !== null) await this.bus?.own(name);
    if (before !== null && now === null) await this.bus?.disown(name);
  }

  private network(): Readonly<Record<string, unknown>> | null {
    return this.metered === null ? null : { Metered: METERED[this.metered], Version: '1.54.0' };
  }

  private clock(): Readonly<Record<string, unknown>> | null {
    if (this.clockSynced === null) return null;
    return { Timezone: 'UTC', LocalRTC: false, CanNTP: true, NTP: true, NTPSynchronized: this.clockSynced };
  }
}

function served(
  path: string,
  spec: InterfaceSpec,
  values: Readonly<Record<string, unknown>> | null,
): readonly (readonly [string, readonly Served[]])[] {
  return values === null ? [] : [[path, [{ spec, methods: {}, properties: () => values }]]];
}
