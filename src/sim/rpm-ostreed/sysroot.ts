import type { HostState, Inhibitor } from '../api.ts';
import type { HostFolder } from '../host.ts';

/** What the work of a transaction acts on. */
export interface Sysroot {
  readonly folder: HostFolder;
  /** Changes the host and tells the bus, before it returns. */
  apply(change: (state: HostState) => HostState): void;
  /** The inhibitor locks that logind knows of; none when there is no logind. */
  inhibitors(): Promise<readonly Inhibitor[]>;
}
