import type { Facts } from './facts.ts';
import type { Merged } from './merge.ts';
import { wholeFile, type Report } from './problem.ts';
import { checkFleetLock, checkLockAccess } from './together-lock.ts';
import type { Config } from './schema.ts';
import { checkFreezes } from './together-freezes.ts';
import { checkHolding } from './together-holding.ts';
import { checkNotify } from './together-notify.ts';
import { checkMetrics } from './together-metrics.ts';
import { checkPeriodic, checkZones } from './together-windows.ts';

/** Reports what no single file shows: values that need each other, or that have no effect together. */
export function checkTogether(config: Config, merged: Merged, report: Report): void {
  const facts: Facts = {
    config,
    report,
    at: (path) => merged.get(path)?.from.at(-1) ?? wholeFile('(defaults)'),
    all: (path) => merged.get(path)?.from ?? [],
    good: (path) => merged.get(path)?.good ?? false,
    uses: (name) => config.updates.strategy.includes(name),
  };
  if (config.updates.allowDowngrade) {
    const text = 'updates.allow_downgrade: releases older than the booted one may be staged';
    report(facts.at('updates.allow_downgrade'), text, 'warning');
  }
  checkHolding(facts);
  checkNotify(facts);
  checkMetrics(facts);
  checkFreezes(facts);
  if (!facts.good('updates.strategy')) return;
  if (config.updates.strategy.length > 1 && facts.uses('immediate')) {
    report(facts.at('updates.strategy'), 'updates.strategy: "immediate" has no effect beside others', 'warning');
  }
  checkFleetLock(facts);
  checkLockAccess(facts);
  checkPeriodic(facts);
  checkZones(facts);
}
