import type { MethodCall } from '../bus/api.ts';
import type { NotCalled } from './agent-call.ts';
import { EXIT } from './command.ts';

const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** Why there is no connection to the bus. */
export async function noBus(error: unknown): Promise<NotCalled> {
  const { socketErrorCode } = await import('../bus/open.ts');
  const { errorText } = await import('../base/text.ts');
  const code = socketErrorCode(error);
  const exit = code === 'EACCES' || code === 'EPERM' ? EXIT.denied : EXIT.notRunning;
  return { ok: false, exit, text: `the agent cannot be reached: no connection to the system bus: ${errorText(error)}` };
}

/** Whatever can be asked about the agent. */
export interface Asked {
  readonly call: (call: MethodCall) => Promise<readonly unknown[]>;
}

type Failed = (bus: Asked, call: { readonly changes: boolean }) => Promise<NotCalled> | NotCalled;

const absent: Failed = async (bus) => {
  const { explainAbsence } = await import('./agent-absent.ts');
  return { ok: false, exit: EXIT.notRunning, text: await explainAbsence(bus) };
};

/** What the agent does not know, an older one does not know. */
const older: Failed = async (bus) => {
  const { AGENT_NAME, AGENT_PATH } = await import('../agent/dbus/names.ts');
  const { text } = await import('../bus/dict.ts');
  const { oneLine } = await import('../base/text.ts');
  const { VERSION } = await import('../base/version.ts');
  const get = { destination: AGENT_NAME, path: AGENT_PATH, interface: PROPERTIES, member: 'Get', noAutoStart: true };
  const answer = bus.call({ ...get, signature: 'ss', body: [AGENT_NAME, 'Version'], timeoutMs: 1_000 });
  const found = await answer.then(([value]) => text({ version: value }, 'version')).catch(() => undefined);
  const which = found === undefined ? '' : ` (version ${oneLine(found, 40)})`;
  const what = `the agent that is running${which} does not know this: it is an older one`;
  return {
    ok: false,
    exit: EXIT.failure,
    text: `${what} than this command (version ${VERSION}); systemctl restart holdpoint-agent`,
  };
};

/** Errors of the bus and of the agent, by the end of their names. */
const ERRORS: Readonly<Record<string, Failed>> = {
  ServiceUnknown: absent,
  NameHasNoOwner: absent,
  UnknownMethod: older,
  UnknownObject: older,
  UnknownInterface: older,
  NoReply: (_, { changes }) => ({
    ok: false,
    exit: EXIT.failure,
    text: `the agent ended before it answered${changes ? '; nobody knows whether it did it' : ': try again in a moment'}`,
  }),
};

/** Why a call to the agent has no answer. */
export async function noAnswer(
  bus: Asked,
  error: unknown,
  call: { readonly changes: boolean; readonly timeoutMs: number },
): Promise<NotCalled> {
  const { BusError, BusTimeoutError } = await import('../bus/api.ts');
  const { errorText } = await import('../base/text.ts');
  if (error instanceof BusTimeoutError) return { ok: false, exit: EXIT.failure, text: hung(call) };
  const name = error instanceof BusError ? error.errorName.replace('org.freedesktop.DBus.Error.', '') : '';
  const known = ERRORS[name];
  if (known !== undefined) return known(bus, call);
  const passwordNeeded = name === 'InteractiveAuthorizationRequired';
  const exit = name === 'AccessDenied' || passwordNeeded ? EXIT.denied : EXIT.failure;
  return { ok: false, exit, text: errorText(error), passwordNeeded };
}

function hung({ changes, timeoutMs }: { readonly changes: boolean; readonly timeoutMs: number }): string {
  const doubt = changes ? '; nobody knows whether it will do it' : '';
  return `the agent is there, but has not answered within ${timeoutMs / 1000} s${doubt}: it hangs, or this host is very busy (journalctl -u holdpoint-agent)`;
}
