import { type Facts, unused } from './facts.ts';
import type { Merged } from './merge.ts';
import { wholeFile, type Report } from './problem.ts';
import { checkFleetLock, checkLockAccess } from './together-lock.ts';
import { CARRIED_OUT, type Config } from './schema.ts';
import { zoneProblem } from './zone.ts';

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
  checkLockAccess(facts);
  checkPeriodic(facts);
}

function checkCarriedOut({ config, report, at }: Facts): void {
  for (const strategy of config.updates.strategy.filter((one) => !CARRIED_OUT.has(one))) {
    const text = `updates.strategy: this version does not carry out "${strategy}" yet: updates are staged and held, and this host is never rebooted into them`;
    report(at('updates.strategy'), text, 'warning');
  }
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
    const wrong = zoneProblem(timeZone);
    if (wrong !== null) report(at('updates.periodic.time_zone'), `updates.periodic.time_zone: ${wrong}`);
  }
}
