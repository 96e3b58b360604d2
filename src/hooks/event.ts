import { oneLine } from '../base/text.ts';

/** The moments at which hooks are run, in the order in which a reboot comes to them. */
export const HOOK_EVENTS = ['pre-stage', 'may-reboot', 'pre-reboot', 'reboot-cancelled', 'post-boot'] as const;

/** One of those moments; also the name of the folder with its hooks. */
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** True for the name of an event. */
export function isHookEvent(text: string): text is HookEvent {
  return HOOK_EVENTS.some((event) => event === text);
}

/** What a hook is told; null where it is not known or does not apply. */
export interface HookContext {
  /** Version of the release that runs. */
  readonly bootedVersion: string | null;
  /** Version of the release that is to be staged or booted; null after a boot. */
  readonly targetVersion: string | null;
  /** Id of this host towards the fleet. */
  readonly nodeId: string | null;
  /** Group of this host in the fleet. */
  readonly group: string | null;
  /** One line for people: why this is asked or done now. */
  readonly reason: string | null;
}

/** A hook's longest name, in characters: it is part of the name of a unit. */
const LONGEST_NAME = 128;
/** A value's longest text, in characters. */
const LONGEST_VALUE = 300;

/** What package managers and editors leave beside a file that they replace. */
const LEFTOVER = /(?:~|\.rpmsave|\.rpmnew|\.rpmorig)$/;

/**
 * What a name in an event's folder stands for: a hook, nothing (hidden, or a leftover of a package manager or editor),
 * or something that looks as if it were meant to be a hook and cannot be one.
 */
export function kindOfName(name: string): 'hook' | 'nothing' | 'odd' {
  if (name.startsWith('.') || LEFTOVER.test(name)) return 'nothing';
  return /^[A-Za-z0-9._-]+$/.test(name) && name.length <= LONGEST_NAME ? 'hook' : 'odd';
}

/** One hook, as an instance of the template unit is named after it. */
export interface HookId {
  readonly event: HookEvent;
  readonly name: string;
}

/** The instance of the template unit: of characters that need no escaping in the name of a unit. */
export function instanceOf({ event, name }: HookId): string {
  return `${event}:${name}`;
}

/** The hook that an instance stands for, or null when it is none. */
export function parseInstance(text: string): HookId | null {
  const colon = text.indexOf(':');
  const event = text.slice(0, Math.max(0, colon));
  const name = text.slice(colon + 1);
  return isHookEvent(event) && kindOfName(name) === 'hook' ? { event, name } : null;
}

/** The variables of a hook that tell of the context, by the field of which each is made. */
const VARIABLES = {
  bootedVersion: 'HOLDPOINT_BOOTED_VERSION',
  targetVersion: 'HOLDPOINT_TARGET_VERSION',
  nodeId: 'HOLDPOINT_NODE_ID',
  group: 'HOLDPOINT_GROUP',
  reason: 'HOLDPOINT_REASON',
} as const satisfies Readonly<Record<keyof HookContext, string>>;

const FIELDS = Object.keys(VARIABLES) as readonly (keyof HookContext)[];

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The whole environment of a hook. A value that is not known is empty, so that scripts need not ask whether it is set. */
export function hookEnvironment(event: HookEvent, context: HookContext): Readonly<Record<string, string>> {
  const values = FIELDS.map((field) => [VARIABLES[field], oneLine(context[field] ?? '', LONGEST_VALUE)] as const);
  return { PATH, HOLDPOINT_EVENT: event, ...Object.fromEntries(values) };
}

/** What the agent writes down for the unit of a hook, which is more privileged than the agent. */
export interface HookOrder {
  /** The folder in which the agent found the hook. */
  readonly dir: string;
  readonly timeoutMs: number;
  readonly context: HookContext;
}

/** Milliseconds in a day: the longest that a hook may take. */
export const LONGEST_TIMEOUT_MS = 86_400_000;

/** The content of the file with an order. */
export function formatOrder({ dir, timeoutMs, context }: HookOrder): string {
  return `${JSON.stringify({ dir, timeoutMs, context: Object.fromEntries(FIELDS.map((key) => [key, context[key]])) })}\n`;
}

/** Reads an order; null when it is none. Nothing of a text that is none is passed on: it may be anybody's file. */
export function parseOrder(text: string): HookOrder | null {
  const order = parseJson(text);
  const context = recordOf(order?.['context']);
  if (order === null || context === null) return null;
  const { dir, timeoutMs } = order;
  if (typeof dir !== 'string' || typeof timeoutMs !== 'number') return null;
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_TIMEOUT_MS) return null;
  const values = FIELDS.map((field) => [field, context[field]] as const);
  if (!values.every(([, value]) => value === null || isPlain(value))) return null;
  return { dir, timeoutMs, context: Object.fromEntries(values) as unknown as HookContext };
}

function parseJson(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    return null;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function isPlain(value: unknown): value is string {
  return typeof value === 'string' && oneLine(value, LONGEST_VALUE) === value;
}
