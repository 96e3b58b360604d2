import type { Config } from '../config/schema.ts';
import { expandTemplate } from '../config/url.ts';
import type { LockAccess } from '../fleetlock/client.ts';
import { type ConfiguredIdentity, type HostDescription, describeHost } from '../host/identity/parse.ts';
import type { HostFiles } from '../host/identity/read.ts';
import { nodeId } from '../host/node-id.ts';
import { type Deployment, imageName } from '../host/rpm-ostree/deployment.ts';
import { calendarOf } from './calendar.ts';
import type { AroundRules } from './gates/around.ts';
import type { Settings } from './machine/state.ts';
import type { Origins } from './report/origins.ts';

/** What is known about this host and its configuration at one moment. */
export interface Situation {
  readonly config: Config;
  readonly files: HostFiles;
  readonly nodeArch: string;
  /** Null before the host was read for the first time. */
  readonly booted: Deployment | null;
  /** Where the configuration was set; left out: nobody knows. */
  readonly origins?: Origins;
}

/** The node's id: configured, or derived from the machine id. Throws when there is neither. */
export function nodeIdOf({ config, files }: Pick<Situation, 'config' | 'files'>): string {
  if (config.identity.nodeUuid !== null) return config.identity.nodeUuid;
  if (files.machineId !== null) return nodeId(files.machineId);
  throw new Error('this host has no /etc/machine-id: set identity.node_uuid in the configuration');
}

/** What this host is, once it has been read, and which of it had to be assumed. */
export function describe(situation: Situation): { description: HostDescription; assumed: readonly string[] } | null {
  const { booted, config, files, nodeArch } = situation;
  if (booted === null) return null;
  const configured: ConfiguredIdentity = config.identity;
  const image = booted.origin.kind === 'container' ? imageName(booted.origin.reference) : null;
  return describeHost(booted, image, files.cmdline, nodeArch, configured);
}

/** What the machine needs of the configuration. The lock's address is known once the host has been read. */
export function settingsOf(situation: Situation): Settings {
  const { config } = situation;
  const { updates, identity } = config;
  const { schedule, freezes } = calendarOf(config, nodeIdOf(situation));
  return {
    enabled: updates.enabled,
    source: updates.source,
    allowDowngrade: updates.allowDowngrade,
    steadyIntervalMs: config.agent.timing.steadyIntervalSecs * 1000,
    lock: lockOf(situation),
    lockWaitMs: updates.fleetLock.waitSecs * 1000,
    schedule,
    freezes: updates.freezes.length === 0 ? null : freezes,
    minUptimeMs: updates.minUptimeSecs * 1000,
    around: rulesOf(config),
    nodeId: nodeIdOf(situation),
    wariness: identity.rolloutWariness,
    stream: identity.stream,
    graphQuestion: JSON.stringify([config.cincinnati.baseUrl, identity]),
  };
}

function rulesOf({ updates, health }: Config): AroundRules {
  const { enabled, graceSecs, finalNoticeSecs, unreadableSecs, postponeSecs } = updates.sessions;
  const people = {
    graceMs: graceSecs * 1000,
    finalNoticeMs: finalNoticeSecs * 1000,
    unreadableMs: unreadableSecs * 1000,
    postponeMs: postponeSecs * 1000,
  };
  return {
    people: enabled ? people : null,
    inhibitors: updates.inhibitors.enabled,
    requireAc: updates.power.requireAc,
    avoidMetered: updates.network.avoidMetered,
    clockWaitMs: updates.clockWaitSecs * 1000,
    healthMs: health.timeoutSecs * 1000,
    rollback: health.rollback,
  };
}

function lockOf(situation: Situation): Settings['lock'] {
  const { updates, identity } = situation.config;
  const { baseUrl } = updates.fleetLock;
  if (!updates.strategy.includes('fleet_lock') || baseUrl === null) return null;
  const expanded = expand(situation, baseUrl);
  return expanded === null ? null : { baseUrl: expanded, group: identity.group, id: nodeIdOf(situation) };
}

/** How lock servers are reached, as the configuration says. */
export function lockAccessOf({ updates }: Config): LockAccess {
  const { connectTimeoutSecs, timeoutSecs, tokenFile, caFile, clientCertFile, clientKeyFile } = updates.fleetLock;
  return {
    connectTimeoutMs: connectTimeoutSecs * 1000,
    totalTimeoutMs: timeoutSecs * 1000,
    tokenFile,
    caFile,
    clientCertFile,
    clientKeyFile,
  };
}

/** A template of the configuration with this host's values, or null before the host was read. */
export function expand(situation: Situation, template: string): string | null {
  const host = describe(situation);
  if (host === null) return null;
  const { basearch, platform, stream } = host.description;
  return expandTemplate(template, { basearch, group: situation.config.identity.group, platform, stream });
}
