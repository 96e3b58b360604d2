import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { host, MID } from '../support/holding.ts';
import { HAS_TMUX, Terminal } from '../support/terminal.ts';

const LIMIT = { timeout: 180_000 };
const CONFIG = 'updates.min_uptime_secs = 604800\n';
/** The shell is ready for the next line. */
const READY = /\n\$$/;

function widest(screen: string): number {
  return Math.max(...screen.split('\n').map((line) => line.length));
}

describe.runIf(HAS_TMUX)('at a terminal', () => {
  test('somebody asks, watches, pauses, and sees it happen', LIMIT, async (context) => {
    const one = await host(context, { config: CONFIG });
    one.agent.start();
    await one.line(/is staged; waiting: this host is up for less than 7 d/);
    const configured = join(one.machine.dir, 'agent');
    const clean = (screen: string): string => screen.replaceAll(configured, '/etc/holdpoint');
    const terminal = await new Terminal(one.machine.busAddress, context, clean).ready();

    terminal.type('holdpoint explain');
    const explained = await terminal.shows(READY, 'Why does this host not reboot?');
    expect(explained).toMatch(/^This host does not reboot because it is up for less than 7 d/m);
    expect(explained).toMatch(/updates\.min_uptime_secs = 604800\s+\(.*:\d+\)/);
    expect(terminal.hasColours()).toBe(true);

    terminal.type('clear; holdpoint status --watch');
    const watched = await terminal.shows(/^Closed +uptime/m, 'The same, short, and as it changes');
    // Nothing is left of what was there before, and every line fits.
    expect(watched).toMatch(/^This host does not reboot because/);
    expect(watched).not.toContain('holdpoint');
    expect(widest(watched)).toBeLessThanOrEqual(90);

    await terminal.split(45);
    terminal.type('holdpoint pause --reason backup', 1);
    const paused = await terminal.shows(/^Now: [^]*\n\$$/m, 'Beside it, in another part of the terminal, a pause', 1);
    expect(paused).toMatch(/^No reboots until holdpoint resume;/m);
    const narrow = await terminal.shows(/^Closed +pause +paused by root\b/m, 'And what was watched shows it, narrower');
    expect(narrow).toMatch(/^This host does not reboot because/);
    expect(widest(narrow)).toBeLessThanOrEqual(44);

    one.agent.signal('SIGSTOP');
    const hung = await terminal.shows(/has\s+not\s+answered\s+within\s+3\s+s/, 'The agent hangs');
    expect(hung).not.toMatch(/^Closed|not running/m);
    one.agent.signal('SIGCONT');
    await terminal.shows(/^Closed +pause/m, 'It goes on');

    await one.agent.kill();
    const gone = await terminal.shows(/^The agent is not running/, 'The agent is killed');
    expect(gone).not.toMatch(/^Closed/m);
    expect(widest(gone)).toBeLessThanOrEqual(44);
    one.agent.start();
    const back = await terminal.shows(
      /^Target +41\.2\.3\.0[\s\S]*^Closed +pause/m,
      'And is back, as if nothing had been',
    );
    expect(back).toMatch(/^This host does not reboot because/);
    expect(back).toContain(MID);

    terminal.key('C-c');
    const after = await terminal.shows(READY, 'Ctrl-C leaves what was shown last');
    expect(after.match(/^State/gm)).toHaveLength(1);
    expect(after).toMatch(/^Closed +pause/m);
    terminal.type('echo "status $?"');
    await terminal.shows(/^status 0$/m, 'And it was no failure');
  });
});
