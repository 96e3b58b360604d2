// A sequence of changes that two processes agree about: each step says what it writes, all before it what must be there.
import { type AuditDraft, EMPTY_FLEET, type GroupDocument } from '../../../src/manager/document.ts';
import type { AuditBounds, Change } from '../../../src/manager/store/store.ts';
import { document, draft, freeze, holder, many } from './documents.ts';

/** Few enough that records are dropped while the steps go on. */
export const BOUNDS: AuditBounds = { mostRecords: 500, longestMs: 90 * 24 * 3_600_000 };

/** The change of a step, 0 or more: one to three of five groups, and now and then the fleet. */
export function step(index: number, bytes = 10): Change {
  const names = many(1 + (index % 3), (nth) => `group-${(index * 7 + nth) % 5}`);
  const about = (group: string | null): AuditDraft => ({ ...draft(group), reason: `step ${index}` });
  const groups = new Map(
    names.map((name) => [name, document([holder(`of-step-${index}-${'x'.repeat(bytes)}`)])] as const),
  );
  if (index % 4 !== 0) return { groups, audit: names.map(about) };
  return { groups, fleet: { freeze: freeze({ reason: `step ${index}` }) }, audit: [...names, null].map(about) };
}

/** What is there after these steps, in their order. */
export function after(steps: readonly Change[]): {
  groups: Map<string, GroupDocument>;
  fleet: Change['fleet'];
  audit: readonly (AuditDraft & { readonly number: number })[];
} {
  const groups = new Map<string, GroupDocument>();
  for (const each of steps) for (const [name, one] of each.groups) groups.set(name, one);
  const fleet = steps.findLast((each) => each.fleet !== undefined)?.fleet ?? EMPTY_FLEET;
  const audit = steps.flatMap((each) => each.audit).map((each, index) => ({ ...each, number: index + 1 }));
  return { groups, fleet, audit };
}
