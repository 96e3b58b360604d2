import type { Log } from '../base/log.ts';
import { duration, oneLine } from '../base/text.ts';
import type { AuditDraft } from './document.ts';
import type { Meter } from './meter.ts';
import type { Witness } from './parts.ts';

/** Tells logs and metrics what the service does. `now` in ms since 1970. */
export function createWitness(log: Log, meter: Meter, now: () => number): Witness {
  let failing = false;
  let told = '';
  const outgrown = new Set<string>();
  return {
    changed: (audit) =>
      log.together(() => {
        for (const draft of audit) log.info(fieldsOf(draft), sentenceOf(draft));
      }),
    decided: (group, operation, answer) => {
      meter.decision(group, operation, answer.ok ? answer.outcome : answer.kind);
      if (!answer.ok) log.debug({ group, kind: answer.kind }, `refused: ${answer.value}`);
    },
    outgrown: (group, error) => {
      const what = group === null ? 'the fleet' : `group ${oneLine(group, 80)}`;
      const level = outgrown.has(what) ? 'debug' : 'error';
      outgrown.add(what);
      log[level](`${what} has outgrown what one transaction of the store can hold: ${oneLine(error.message)}`);
    },
    stored: (operation, ms) => meter.storeTime(operation, ms / 1000),
    storeFailed: (error, since) => {
      meter.storeError(error.kind);
      const level = failing ? 'debug' : 'error';
      failing = true;
      log[level](`the store does not do its work since ${duration(now() - since)}: ${oneLine(error.message)}`);
    },
    storeRecovered: (since) => {
      failing = false;
      log.info(`the store works again, after ${duration(now() - since)}`);
    },
    notReady: (problem) => {
      const text = oneLine(problem, 500);
      log[text === told ? 'debug' : 'warn'](`the lock manager is not ready: ${text}`);
      told = text;
    },
  };
}

function fieldsOf({ action, group, id, by }: AuditDraft): Record<string, string> {
  return { action, ...(group === null ? {} : { group }), ...(id === null ? {} : { id: oneLine(id, 80) }), by };
}

const SENTENCES: Readonly<Record<AuditDraft['action'], string>> = {
  granted: 'a slot was granted',
  confirmed: 'a grant was confirmed: its node asked again',
  released: 'a slot was given back',
  soaking: 'a node is steady; its slot soaks',
  soaked: 'a soak is over; the slot is free',
  'taken-back': 'a grant was taken back',
  forced: 'a slot was released by hand',
  found: 'another program granted a slot',
  vanished: 'another program took a slot away',
  'found-slots': 'another program changed the number of slots',
  configured: 'the number of slots was changed by the configuration',
  resized: 'the number of slots was changed by hand',
  frozen: 'grants are frozen',
  thawed: 'grants are thawed',
};

function sentenceOf({ action, reason }: AuditDraft): string {
  return oneLine(reason === '' ? SENTENCES[action] : `${SENTENCES[action]}: ${reason}`);
}
