import { nearest } from '../base/text.ts';
import type { Merged } from './merge.ts';
import { wholeFile, type Origin, type Report } from './problem.ts';
import { CARRIED_OUT, type Config, type Strategy } from './schema.ts';

/** Reports what no single file shows: values that need each other, or that have no effect together. */
export function checkTogether(config: Config, merged: Merged, report: Report): void {
  const facts: Facts = {
    config,
    report,
    at: (path) => merged.get(path)?.from.at(-1) ?? wholeFile('(defaults)'),
    good: (path) => merged.get(path)?.good ?? false,
    uses: (name) => config.updates.strategy.includes(name),
  };
  if (config.updates.allowDowngrade) {
    const text = 'updates.allow_downgrade: releases older than the booted one may be staged';
    report(facts.at('updates.allow_downgrade'), text, 'warning');
  }
  if (!facts.good('updates.strategy')) return;
  if (config.updates.strategy.length > 1 && facts.uses('immediate')) {
    report(facts.at('updates.strategy'), 'updates.strategy: "immediate" has no effect beside others', 'warning');
  }
  checkCarriedOut(facts);
  checkFleetLock(facts);
  checkPeriodic(facts);
}

interface Facts {
  readonly config: Config;
  readonly report: Report;
  /** Where a key was set last. */
  readonly at: (path: string) => Origin;
  /** False when a file sets the key to something unacceptable: then nothing can be said about the key. */
  readonly good: (path: string) => boolean;
  readonly uses: (strategy: Strategy) => boolean;
}

function checkCarriedOut({ config, report, at }: Facts): void {
  for (const strategy of config.updates.strategy.filter((one) => !CARRIED_OUT.has(one))) {
    const text = `updates.strategy: this version does not carry out "${strategy}" yet: updates are staged and held, and this host is never rebooted into them`;
    report(at('updates.strategy'), text, 'warning');
  }
}

function checkFleetLock({ config, report, at, good, uses }: Facts): void {
  const key = 'updates.fleet_lock.base_url';
  const isSet = config.updates.fleetLock.baseUrl !== null;
  if (!good(key) || uses('fleet_lock') === isSet) return;
  if (isSet) report(at(key), unused(key, 'fleet_lock'), 'warning');
  else report(at('updates.strategy'), `updates.strategy: "fleet_lock" needs ${key}, which is not set`);
}

function checkPeriodic({ config, report, at, good, uses }: Facts): void {
  const key = 'updates.periodic.window';
  const { windows, timeZone } = config.updates.periodic;
  if (!uses('periodic')) {
    if (windows.length > 0) report(at(key), unused(key, 'periodic'), 'warning');
  } else if (windows.length === 0 && good(key)) {
    const text = `updates.strategy: "periodic" without any [[${key}]]: this host will never reboot`;
    report(at('updates.strategy'), text, 'warning');
  } else {
    // Looking at a time zone loads all of them into memory: only when one is needed.
    checkZone(timeZone, at, report);
  }
}

function unused(path: string, strategy: Strategy): string {
  return `${path}: has no effect, because updates.strategy does not contain "${strategy}"`;
}

function checkZone(zone: string, at: (path: string) => Origin, report: Report): void {
  if (zone === 'localtime') return;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    const near = nearest(zone, Intl.supportedValuesOf('timeZone'));
    const hint = near === null ? 'expected an IANA name such as "Europe/Berlin"' : `did you mean "${near}"?`;
    report(at('updates.periodic.time_zone'), `updates.periodic.time_zone: unknown time zone "${zone}", ${hint}`);
  }
}
