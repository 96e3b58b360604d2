import type { Connection } from '../bus/connection.ts';
import { DRIVER, DRIVER_PATH } from '../bus/driver.ts';
import { EXIT } from './command.ts';

/** What came of a call to the agent: the values that it answered, or why there are none. */
export type Called =
  | { readonly ok: true; readonly body: readonly unknown[] }
  | { readonly ok: false; readonly exit: number; readonly text: string };

/** A method of the agent's interface. */
export interface AgentCall {
  /** D-Bus address; left out: the system bus. */
  readonly address: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly member: string;
  /** D-Bus signature of `body`. */
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** Milliseconds for reaching the bus, and for the answer of the agent. */
const [CONNECT_MS, ANSWER_MS] = [5_000, 10_000];

/** Calls the agent of this host, once. Rejects only where the address is none. */
export async function callAgent(call: AgentCall): Promise<Called> {
  const { parseAddress, systemBusAddress } = await import('../bus/address.ts');
  const address = call.address ?? systemBusAddress(call.env);
  parseAddress(address);
  const bus = await connect(address).catch(noBus);
  if ('ok' in bus) return bus;
  const { AGENT_NAME, AGENT_PATH } = await import('../agent/dbus/names.ts');
  try {
    const { member, signature, body } = call;
    const agent = { destination: AGENT_NAME, path: AGENT_PATH, interface: AGENT_NAME };
    const answer = await bus.call({ ...agent, member, signature, body, timeoutMs: ANSWER_MS, noAutoStart: true });
    return { ok: true, body: answer };
  } catch (error) {
    return await noAnswer(error);
  } finally {
    bus.close();
  }
}

async function connect(address: string): Promise<Connection> {
  const { openConnection } = await import('../bus/open.ts');
  const connection = await openConnection(address, { connectTimeoutMs: CONNECT_MS });
  const driver = { destination: DRIVER, path: DRIVER_PATH, interface: DRIVER };
  try {
    await connection.call({ ...driver, member: 'Hello', timeoutMs: CONNECT_MS });
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function noBus(error: unknown): Promise<Called & { readonly ok: false }> {
  const { socketErrorCode } = await import('../bus/open.ts');
  const { errorText } = await import('../base/text.ts');
  const code = socketErrorCode(error);
  const exit = code === 'EACCES' || code === 'EPERM' ? EXIT.denied : EXIT.notRunning;
  return { ok: false, exit, text: `the agent cannot be reached: no connection to the system bus: ${errorText(error)}` };
}

const ABSENT = {
  exit: EXIT.notRunning,
  text: 'the agent is not running, or not to be reached on the bus (systemctl status holdpoint-agent)',
};
const OLDER = { exit: EXIT.failure, text: 'the agent that is running does not know this: it is an older one' };

/** Errors of the bus and of the agent, by the end of their names. */
const ERRORS: Readonly<Record<string, { readonly exit: number; readonly text: string }>> = {
  ServiceUnknown: ABSENT,
  NameHasNoOwner: ABSENT,
  UnknownMethod: OLDER,
  UnknownObject: OLDER,
  UnknownInterface: OLDER,
  NoReply: { exit: EXIT.failure, text: 'the agent ended before it answered; nobody knows whether it did it' },
};

async function noAnswer(error: unknown): Promise<Called & { readonly ok: false }> {
  const { BusError, BusTimeoutError } = await import('../bus/api.ts');
  const { errorText } = await import('../base/text.ts');
  if (error instanceof BusTimeoutError) {
    const text = `the agent does not answer within ${ANSWER_MS / 1000} s; nobody knows whether it will do it`;
    return { ok: false, exit: EXIT.failure, text };
  }
  const name = error instanceof BusError ? error.errorName.replace('org.freedesktop.DBus.Error.', '') : '';
  const known = ERRORS[name];
  if (known !== undefined) return { ok: false, ...known };
  return { ok: false, exit: name === 'AccessDenied' ? EXIT.denied : EXIT.failure, text: errorText(error) };
}
