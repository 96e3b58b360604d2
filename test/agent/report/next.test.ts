import { describe, expect, test } from 'vitest';
import { gatesOf } from '../../../src/agent/machine/explain.ts';
import { nextOf } from '../../../src/agent/report/next.ts';
import type { Next } from '../../../src/agent/report/report.ts';
import { MINUTE, SECOND, instant, person } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { type Surrounded, arrived } from '../../support/agent-surrounded.ts';
import { dailyWindow, inventoryDays, situation } from '../../support/report-situations.ts';

const ANN = person('0');

function next({ state, mono }: Driver): Next {
  return nextOf(state, instant(mono));
}

function closed({ state, mono }: Driver): readonly string[] {
  return gatesOf(state, instant(mono)).flatMap(({ gate, open }) => (open ? [] : [gate]));
}

/** Lets time pass until the moment that was told, and a tick after it. */
function comes(driver: Driver, at: number | null): void {
  expect(at).not.toBeNull();
  driver.pass((at ?? 0) - instant(driver.mono).wall + SECOND);
}

describe('what closes before the others open comes next', () => {
  test('a window, before people have had their time', () => {
    const { driver } = arrived({ people: [ANN] }, {}, { schedule: dailyWindow(14 * 60, 10) });
    expect(next(driver)).toEqual({ kind: 'gate', text: 'the window closes', at: instant(10 * MINUTE).wall });
    comes(driver, next(driver).at);
    expect(closed(driver)).toContain('window');
  });

  test('a window that closes when people have had their time', () => {
    const host = arrived({ people: [ANN] }, {}, { schedule: dailyWindow(14 * 60, 30) });
    const at = next(host.driver).at ?? 0;
    const minutes = (at - instant(0).wall) / MINUTE;
    expect(next(arrived({ people: [ANN] }, {}, { schedule: dailyWindow(14 * 60, minutes) }).driver)).toEqual({
      kind: 'gate',
      text: 'the window closes',
      at,
    });
    expect(next(arrived({ people: [ANN] }, {}, { schedule: dailyWindow(14 * 60, minutes + 1) }).driver).text).toBe(
      'people are not waited for any longer',
    );
  });

  test('an order, before a marker is over', () => {
    const { driver } = markedAndOrdered();
    expect(next(driver)).toMatchObject({ text: 'the ordered update (update --now) is over' });
    comes(driver, next(driver).at);
    expect(closed(driver)).toEqual(['freeze', 'holds']);
  });

  test('a window, before the last notice is over', () => {
    const host = arrived({ people: [ANN] }, { people: LONG_NOTICE }, { schedule: dailyWindow(14 * 60, 10) });
    expect(host.driver.phase).toBe('releasing');
    expect(next(host.driver).text).toBe('the window closes');
    comes(host.driver, next(host.driver).at);
    expect(host.driver.phase).toBe('holding');
  });
});

const LONG_NOTICE = { graceMs: 0, finalNoticeMs: 20 * MINUTE, unreadableMs: 0, postponeMs: 0 };

function markedAndOrdered(): Surrounded {
  const holds = [{ name: 'backup', reason: 'nightly', since: 0, until: instant(40 * MINUTE).wall }];
  const host = arrived({ holds }, {}, { freezes: inventoryDays() });
  host.driver.send({ kind: 'updateNow', by: 'root', forMs: 20 * MINUTE });
  return host;
}

test.each(['stopping', 'host-going-down'])('an agent that is told to stop does so, and nothing else: %s', (name) => {
  expect(next(situation(name))).toEqual({ kind: 'event', text: 'the agent stops', at: null });
});
