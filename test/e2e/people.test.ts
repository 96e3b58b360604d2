import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OLD, arrives, host, messages, session, until } from '../support/holding.ts';
import { openPty } from '../support/pty.ts';

const LIMIT = { timeout: 60_000 };
const SHORT = 'updates.sessions.grace_secs = 2\nupdates.sessions.final_notice_secs = 1\n';
const GRACE = /^This host is to be updated to 41\.2\.3\.0 and must reboot for it\..* It waits for you for 2 s, until /;
const NOTICE = /^This host is about to reboot into 41\.2\.3\.0: not before 1 s from now/;

describe('whoever is logged in gets time, and a last notice with the slot held:', () => {
  test.concurrent.for([
    ['at a terminal', session(), 'ann (tty1)', [GRACE, NOTICE]],
    [
      'from elsewhere',
      session({ tty: 'pts/0', remote: true, remoteHost: '192.0.2.7' }),
      'ann (pts/0 from 192.0.2.7)',
      [GRACE, NOTICE],
    ],
    ['at a desktop, without a terminal to write to', session({ tty: '', type: 'wayland' }), 'ann (desktop)', []],
  ] as const)('%s', LIMIT, async ([, who, where, told], context) => {
    const one = await host(context, { config: SHORT, lock: true });
    one.machine.setSessions([who]);
    one.agent.start();
    const { text } = await one.line((line) =>
      line.text.includes(`${where} is logged in; they are given time to finish`),
    );
    const end = Date.parse(/until (\S+)$/.exec(text)?.[1] ?? '');
    expect([one.booted(), one.locks.holders.size]).toEqual([OLD, 0]);
    await until(() => one.status().includes('the slot is held, people have their last notice until'));
    expect(one.locks.holders.size).toBe(1);
    await arrives(one);
    expect(one.downs[0]).toBeGreaterThanOrEqual(end + 1000);
    expect(messages(one)).toEqual(told.map((what) => expect.stringMatching(what) as unknown));
  });

  test.concurrent('whoever leaves meanwhile is not waited for', LIMIT, async (context) => {
    const config = 'updates.sessions.grace_secs = 0\nupdates.sessions.final_notice_secs = 3600\n';
    const one = await host(context, { config, lock: true });
    one.machine.setSessions([session()]);
    one.agent.start();
    await until(() => one.status().includes('people have their last notice until'));
    one.machine.setSessions([]);
    await arrives(one);
  });

  test.concurrent('the words are on the terminal', LIMIT, async (context) => {
    const pty = await openPty();
    context.onTestFinished(() => pty.close());
    const one = await host(context, { config: SHORT });
    mkdirSync(join(one.machine.root, 'dev'));
    symlinkSync('/dev/pts', join(one.machine.root, 'dev', 'pts'));
    one.machine.setSessions([session({ tty: pty.name, remote: true })]);
    one.agent.start();
    let text = '';
    while (!text.includes('about to reboot')) text += await pty.read();
    expect(text.replaceAll(/\s+/g, ' ')).toMatch(
      /This host is to be updated to 41\.2\.3\.0 .*Please save your work and log out\. It waits for you for 2 s.*about to reboot/,
    );
    expect(text).toContain('\u0007');
    await arrives(one);
  });
});

test.concurrent(
  'the time is not given anew: neither after refusals, nor to who comes later',
  LIMIT,
  async (context) => {
    const one = await host(context, { config: SHORT, lock: true });
    one.locks.hold('default', 'another');
    one.machine.setSessions([session()]);
    one.agent.start();
    await until(() => one.locks.log.filter((line) => line === 'pre-reboot 409').length >= 2);
    one.machine.setSessions([session(), session({ id: '8', user: 'bob', tty: 'pts/3', remote: true })]);
    const asked = one.locks.log.length;
    await until(() => one.locks.log.length >= asked + 2);
    // What is not known to come is not promised.
    expect(messages(one)).toEqual([expect.stringMatching(GRACE)]);
    one.locks.hold('default', null);
    await one.line(/^told people: This host is about to reboot/);
    expect(one.locks.holders.size).toBe(1);
    await arrives(one);
    expect(messages(one)).toEqual([expect.stringMatching(GRACE), expect.stringMatching(NOTICE)]);
  },
);

test.concurrent('who was told is told when it does not come', LIMIT, async (context) => {
  const one = await host(context);
  one.machine.setSessions([session()]);
  one.agent.start();
  await one.line(/^told people: This host is to be updated/);
  one.reconfigure('updates.enabled = false\n');
  await one.line(/^told people: The reboot is put off: updates\.enabled is false/);
  expect(one.downs).toEqual([]);
});

test.concurrent('greeters, managers of users and idle sessions are nobody', LIMIT, async (context) => {
  const one = await host(context, { config: 'updates.sessions.idle_secs = 60\n' });
  one.machine.setSessions([
    session({ id: 'c1', user: 'gdm', class: 'greeter', type: 'wayland' }),
    session({ id: '2', class: 'manager', tty: '' }),
    session({ id: '3', type: 'wayland', idleSince: Date.now() - 120_000 }),
  ]);
  one.agent.start();
  await arrives(one);
  expect([messages(one), one.lines.filter(({ text }) => text.includes('logged in'))]).toEqual([[], []]);
});

describe('who is logged in cannot be read: somebody, for a while, and then nobody. logind', () => {
  test.concurrent.for(['logindDenied', 'logindSilent', 'logindNonsense'] as const)(
    '%s',
    LIMIT,
    async (fault, context) => {
      const one = await host(context, { config: 'updates.sessions.unreadable_secs = 3600\n' });
      one.machine.setFault(fault, { methods: ['ListSessions'] });
      one.agent.start();
      await one.line(/nobody knows who is logged in \(logind cannot be read\): somebody may be, for .* at most/);
      await one.line(({ level, text }) => level === 'warn' && text.includes('logind'));
      expect(one.downs).toEqual([]);
      one.reconfigure('updates.sessions.unreadable_secs = 1\n');
      await arrives(one);
    },
  );
});
