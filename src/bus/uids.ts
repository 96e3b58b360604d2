import { type Bus, BusClosedError, BusError } from './api.ts';
import { DRIVER, DRIVER_PATH } from './driver.ts';
import type { NameOwners } from './owners.ts';

/** Callers whose user ids are kept at once, each for one match rule; those of more are asked for each time. */
const MAX_KEPT = 64;

/**
 * User ids of callers, kept until the caller leaves the bus. They do not outlive the connection: a new bus gives the
 * same unique names to others.
 */
export class CallerIds {
  readonly #known = new Map<string, { readonly uid: Promise<number>; readonly release: () => void }>();
  readonly #bus: Pick<Bus, 'call'>;
  readonly #owners: NameOwners;
  /** Counts the connections. */
  #connection = 0;

  constructor(bus: Pick<Bus, 'call'>, owners: NameOwners) {
    this.#bus = bus;
    this.#owners = owners;
  }

  /**
   * A way to ask for the user id behind a unique name that is on the bus now. It rejects when there is no such caller
   * any more, or the connection is another one by then.
   */
  of(sender: string): () => Promise<number> {
    const connection = this.#connection;
    return async () => {
      if (connection !== this.#connection) throw new BusClosedError('the connection of the caller is lost');
      return this.#uid(sender);
    };
  }

  #uid(sender: string): Promise<number> {
    const known = this.#known.get(sender);
    if (known !== undefined) return known.uid;
    const uid = this.#ask(sender);
    if (this.#known.size >= MAX_KEPT) return uid;
    const release = this.#owners.follow(sender, (owner) => {
      if (owner === null) this.#drop(sender);
    });
    this.#known.set(sender, { uid, release });
    uid.catch(() => this.#drop(sender));
    return uid;
  }

  async #ask(sender: string): Promise<number> {
    const [uid] = await this.#bus.call({
      destination: DRIVER,
      path: DRIVER_PATH,
      interface: DRIVER,
      member: 'GetConnectionUnixUser',
      signature: 's',
      body: [sender],
    });
    if (typeof uid === 'number') return uid;
    throw new BusError('org.freedesktop.DBus.Error.Failed', 'the bus does not know the user of the caller');
  }

  #drop(sender: string): void {
    this.#known.get(sender)?.release();
    this.#known.delete(sender);
  }

  /** The connection is lost. */
  forget(): void {
    this.#connection += 1;
    for (const sender of [...this.#known.keys()]) this.#drop(sender);
  }
}
