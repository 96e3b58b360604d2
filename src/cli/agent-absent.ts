import { asDict, flag, number, text } from '../bus/dict.ts';
import { unitPath } from '../host/systemd/unit.ts';
import type { Asked } from './agent-failure.ts';
import { AGENT_UNIT, type AgentUnit, whyAbsent } from './agent-unit.ts';

const SYSTEMD = 'org.freedesktop.systemd1';
/** Milliseconds: somebody is waiting for an answer that may just as well be given without. */
const ANSWER_MS = 2_000;

/** Why the agent is not on the bus, as far as systemd knows. Never rejects. */
export async function explainAbsence(bus: Asked): Promise<string> {
  const kinds = ['Unit', 'Service'] as const;
  // One that has never run has no properties of a service, as far as we care.
  const [unit, service] = await Promise.all(kinds.map((kind) => properties(bus, kind).catch(() => undefined)));
  const active = text(unit, 'ActiveState');
  if (active === undefined) {
    return 'the agent is not running, or not to be reached on the bus (systemctl status holdpoint-agent)';
  }
  return whyAbsent({
    load: text(unit, 'LoadState') ?? '',
    active,
    sub: text(unit, 'SubState') ?? '',
    result: text(service, 'Result') ?? 'success',
    status: number(service, 'ExecMainStatus') ?? 0,
    conditionsMet: (number(unit, 'ConditionTimestamp') ?? 0) === 0 || flag(unit, 'ConditionResult'),
  } satisfies AgentUnit);
}

async function properties(bus: Asked, kind: 'Unit' | 'Service'): Promise<ReturnType<typeof asDict>> {
  const object = { destination: SYSTEMD, path: unitPath(AGENT_UNIT), interface: 'org.freedesktop.DBus.Properties' };
  const call = { member: 'GetAll', signature: 's', body: [`${SYSTEMD}.${kind}`] };
  const [values] = await bus.call({ ...object, ...call, timeoutMs: ANSWER_MS, noAutoStart: true });
  return asDict(values);
}
