import type { Incoming } from '../bus/codec.ts';
import type { Connection } from '../bus/connection.ts';
import type { Dict } from '../bus/dict.ts';
import { DRIVER, DRIVER_PATH } from '../bus/driver.ts';
import { noAnswer, noBus } from './agent-failure.ts';

/** Why there is no answer of the agent. */
export interface NotCalled {
  readonly ok: false;
  readonly exit: number;
  /** One sentence without a full stop. */
  readonly text: string;
  /** It would be done after somebody had given a password. */
  readonly passwordNeeded?: boolean;
}

/** What came of a call to the agent: the values that it answered, or why there are none. */
export type Called = { readonly ok: true; readonly body: readonly unknown[] } | NotCalled;

/** Where the agent is. */
export interface AgentPlace {
  /** D-Bus address; left out: the system bus. */
  readonly address: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A method of the agent's interface. */
export interface AgentMethod {
  readonly member: string;
  /** D-Bus signature of `body`. */
  readonly signature: string;
  readonly body: readonly unknown[];
  /** It changes something: the agent gets longer for it, and whoever gets no answer does not know what came of it. */
  readonly changes?: boolean;
  /** Somebody may be asked for a password, and take his time. */
  readonly interactive?: boolean;
}

/** A method, and where to call it. */
export interface AgentCall extends AgentMethod, AgentPlace {}

/** A connection to the agent of this host. */
export interface AgentLink {
  readonly call: (method: AgentMethod) => Promise<Called>;
  /** The properties of the agent, as they are now. */
  readonly properties: () => Promise<{ readonly ok: true; readonly values: Dict } | NotCalled>;
  /** Calls `handler` whenever a property may have changed, until the returned function is called. */
  readonly watch: (handler: () => void) => () => void;
  readonly close: () => void;
}

/** Milliseconds for reaching the bus, and for answers of the agent: to a question, to an order, with a password. */
const CONNECT_MS = 3_000;
const ANSWER_MS = { question: 3_000, order: 10_000, password: 150_000 };
const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** Calls the agent of this host, once. Rejects only where the address is none. */
export async function callAgent({ address, env, ...method }: AgentCall): Promise<Called> {
  const link = await openAgent({ address, env });
  if ('ok' in link) return link;
  try {
    return await link.call(method);
  } finally {
    link.close();
  }
}

/** Connects to the bus where the agent is. That it is there shows with the first call. Rejects only where the address is none. */
export async function openAgent({ address, env }: AgentPlace): Promise<AgentLink | NotCalled> {
  const { parseAddress, systemBusAddress } = await import('../bus/address.ts');
  const target = address ?? systemBusAddress(env);
  parseAddress(target);
  const handlers = new Set<() => void>();
  const onSignal = ({ member }: Incoming): void => {
    if (member === 'PropertiesChanged' || member === 'NameOwnerChanged') for (const handler of [...handlers]) handler();
  };
  const bus = await connect(target, onSignal).catch(noBus);
  if ('ok' in bus) return bus;
  const { AGENT_NAME, AGENT_PATH } = await import('../agent/dbus/names.ts');
  const agent = { destination: AGENT_NAME, path: AGENT_PATH, noAutoStart: true };
  const ask = async (of: string, { changes = false, interactive = false, ...rest }: AgentMethod): Promise<Called> => {
    const timeoutMs = ANSWER_MS[interactive ? 'password' : changes ? 'order' : 'question'];
    try {
      return { ok: true, body: await bus.call({ ...agent, interface: of, ...rest, interactive, timeoutMs }) };
    } catch (error) {
      return noAnswer(bus, error, { changes, timeoutMs });
    }
  };
  const readAll = (): Promise<Called> => ask(PROPERTIES, { member: 'GetAll', signature: 's', body: [AGENT_NAME] });
  return {
    call: async (method) => {
      // One that hangs is found out before it is told to do something, so that nobody has to wonder whether it will.
      const sign: Called = method.changes === true ? await readAll() : { ok: true, body: [] };
      return sign.ok ? ask(AGENT_NAME, method) : sign;
    },
    properties: async () => {
      const called = await readAll();
      if (!called.ok) return called;
      const { asDict } = await import('../bus/dict.ts');
      return { ok: true, values: asDict(called.body[0]) ?? {} };
    },
    watch: (handler) => {
      if (handlers.size === 0) subscribe(bus, AGENT_NAME);
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    close: () => bus.close(),
  };
}

async function connect(address: string, onSignal: (signal: Incoming) => void): Promise<Connection> {
  const { openConnection } = await import('../bus/open.ts');
  const connection = await openConnection(address, { connectTimeoutMs: CONNECT_MS, onSignal });
  try {
    await connection.call(toDriver('Hello'));
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function toDriver(member: string, ...body: readonly string[]): Parameters<Connection['call']>[0] {
  const driver = { destination: DRIVER, path: DRIVER_PATH, interface: DRIVER };
  return { ...driver, member, signature: 's'.repeat(body.length), body, timeoutMs: CONNECT_MS };
}

/** Whoever watches looks from time to time as well: a signal that does not come is no reason to wait for ever. */
function subscribe(bus: Connection, agent: string): void {
  const rules = [
    `type='signal',sender='${agent}',interface='${PROPERTIES}',member='PropertiesChanged'`,
    `type='signal',sender='${DRIVER}',interface='${DRIVER}',member='NameOwnerChanged',arg0='${agent}'`,
  ];
  for (const rule of rules) bus.call(toDriver('AddMatch', rule)).catch(() => undefined);
}
