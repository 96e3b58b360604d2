import type { PolkitPolicy } from './api.ts';
import type { BusConnection } from './wire/bus.ts';
import type { Incoming } from './wire/codec.ts';
import { WireError } from './wire/connection.ts';
import { describe } from './wire/interface.ts';
import type { Reply, Served } from './wire/objects.ts';

const POLKIT = 'org.freedesktop.PolicyKit1';

const AUTHORITY = describe(`${POLKIT}.Authority`, {
  methods: {
    CheckAuthorization: '(sa{sv}) subject, s action_id, a{ss} details, u flags, s cancellation_id -> (bba{ss}) result',
    CancelCheckAuthorization: 's cancellation_id',
  },
  properties: { BackendName: 's', BackendVersion: 's' },
});

const ALLOW_USER_INTERACTION = 1;

/** The polkit of a machine, across its boots. Who may ask about whom it does not look at. */
export class Polkit {
  private policy: PolkitPolicy | null = ownUserMay;
  private bus: BusConnection | null = null;

  /** Takes its name on the bus of a new boot, until that ends. */
  async appear(bus: BusConnection): Promise<void> {
    this.bus = bus;
    void bus.connection.closed.then(() => {
      if (this.bus === bus) this.bus = null;
    });
    if (this.policy !== null) await bus.own(POLKIT);
  }

  /** Null: polkit is not there. */
  async setPolicy(policy: PolkitPolicy | null): Promise<void> {
    const before = this.policy;
    this.policy = policy;
    if (before === null && policy !== null) await this.bus?.own(POLKIT);
    if (before !== null && policy === null) await this.bus?.disown(POLKIT);
  }

  /** Its objects, by path. */
  objects(): ReadonlyMap<string, readonly Served[]> {
    if (this.policy === null) return new Map();
    const authority: Served = {
      spec: AUTHORITY,
      methods: { CheckAuthorization: (call) => this.check(call), CancelCheckAuthorization: () => [] },
      properties: () => ({ BackendName: 'simulated', BackendVersion: '122' }),
    };
    return new Map([[`/${POLKIT.replaceAll('.', '/')}/Authority`, [authority]]]);
  }

  private async check({ body: [subject, action, , flags] }: Incoming): Promise<Reply> {
    const uid = await this.bus?.userOf(nameOf(subject));
    if (uid === undefined || uid === null) throw new WireError(`${POLKIT}.Error.Failed`, 'there is no such caller');
    const interactive = (Number(flags) & ALLOW_USER_INTERACTION) !== 0;
    const answer = this.policy?.({ uid, action: String(action), interactive }) ?? 'no';
    if (answer === 'silence') return new Promise(() => undefined);
    // Nobody is there to type a password: who needs one does not get further than that.
    return [[answer === 'yes', answer === 'challenge', {}]];
  }
}

/** As for an administrator who is logged in: whoever runs the machine may do everything, others with a password. */
const ownUserMay: PolkitPolicy = ({ uid }) => (uid === process.getuid?.() ? 'yes' : 'challenge');

/** The bus name in a subject of the kind `system-bus-name`. */
function nameOf(subject: unknown): string {
  const [kind, details] = Array.isArray(subject) ? (subject as readonly unknown[]) : [];
  const name = typeof details === 'object' && details !== null && 'name' in details ? details.name : undefined;
  const value = typeof name === 'object' && name !== null && 'value' in name ? name.value : undefined;
  if (kind !== 'system-bus-name' || typeof value !== 'string') {
    throw new WireError('org.freedesktop.DBus.Error.InvalidArgs', 'this subject is not simulated');
  }
  return value;
}
