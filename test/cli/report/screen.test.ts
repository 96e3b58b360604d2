import { describe, expect, test } from 'vitest';
import { Screen } from '../../../src/cli/report/screen.ts';

const [ENTER, LEAVE] = ['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l'];

describe('a screen', () => {
  test('has no line that the terminal would break', () => {
    let out = '';
    const io = { stdout: (text: string) => void (out += text), rows: () => 4, columns: () => 10 };
    const screen = new Screen(io);
    screen.draw(['waiting for it', 'short', '\u001b[1ma title\u001b[0m', 'not shown']);
    const drawn = out;
    screen.close();
    const lines = drawn
      .split('\r\n')
      .slice(0, -1)
      .map((line) => line.split('\u001b[K').at(-1));
    expect(lines).toEqual(['waiting', 'for it', 'short']);
  });

  test('is left while the command is stopped, and drawn anew when it goes on', () => {
    const shown: string[] = [];
    const io = { stdout: (text: string) => void shown.push(text), rows: () => 4, columns: () => 10 };
    const before = process.listenerCount('SIGTSTP') + process.listenerCount('SIGCONT');
    const screen = new Screen(io, () => void shown.push('stopped'));
    screen.draw(['now']);
    process.emit('SIGTSTP');
    process.emit('SIGCONT');
    screen.close();
    const page = `${ENTER}\u001b[H\u001b[Know\r\n\u001b[J`;
    expect(shown).toEqual([page, LEAVE, 'stopped', page, LEAVE, 'now\n']);
    expect(process.listenerCount('SIGTSTP') + process.listenerCount('SIGCONT')).toBe(before);
  });
});
