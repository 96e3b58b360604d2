import type { BusConnection } from '../wire/bus.ts';

/** The registered clients: each belongs to a unique bus name and goes when the name vanishes. */
export class Clients {
  private readonly bus: BusConnection;
  private readonly changed: () => void;
  private readonly known = new Map<string, () => void>();

  constructor(bus: BusConnection, changed: () => void) {
    this.bus = bus;
    this.changed = changed;
  }

  get count(): number {
    return this.known.size;
  }

  add(name: string): void {
    if (this.known.has(name)) return;
    const forget = this.bus.onVanished(name, () => {
      this.known.delete(name);
      this.changed();
    });
    this.known.set(name, forget);
    this.changed();
  }

  remove(name: string): void {
    this.known.get(name)?.();
    this.known.delete(name);
    this.changed();
  }
}
