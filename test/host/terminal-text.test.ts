import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTerminalName, terminalText } from '../../src/host/terminal-text.ts';

/** The lines of a message, without what is around them. */
function lines(text: string): readonly string[] {
  const written = terminalText(text);
  expect(written.startsWith('\r\n\u0007') && written.endsWith('\r\n\r\n')).toBe(true);
  return written.slice(3, -4).split('\r\n');
}

const words = fc.stringMatching(/^[a-z]{1,30}$/);

describe('the text of a message', () => {
  test('is shown as it is when it fits', () => {
    expect(lines('This host reboots soon.\nSave your work.')).toEqual(['This host reboots soon.', 'Save your work.']);
    expect(lines('one\r\n\r\ntwo')).toEqual(['one', '', 'two']);
    expect(lines('für Ada – 更新')).toEqual(['für Ada – 更新']);
  });

  test('loses what a terminal would obey, or show in another order', () => {
    expect(lines('a\u001b]0;title\u0007b\u009b2Jc\td\u202Ee\u200Bf\u0000')).toEqual(['a ]0;title b 2Jc def']);
  });

  test('shows a name as it is read, without what cannot be seen', () => {
    expect(lines('ro\u200bo\u200e\u200f\u061ct\u200c\u200d\u2060\ufeff\u3164\u115f is logged in')).toEqual([
      'root is logged in',
    ]);
  });

  test('breaks between words, and never in one', () => {
    expect(lines(`${'x'.repeat(40)} ${'y'.repeat(38)} z`)).toEqual([`${'x'.repeat(40)} ${'y'.repeat(38)}`, 'z']);
    expect(lines(`${'x'.repeat(40)} ${'y'.repeat(39)}`)).toEqual(['x'.repeat(40), 'y'.repeat(39)]);
    expect(lines(`see https://${'x'.repeat(100)} there`)).toEqual(['see', `https://${'x'.repeat(100)}`, 'there']);
  });

  test('keeps every word, in order, in lines as full as they go', () => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 60 }), (some) => {
        const shown = lines(some.join(' '));
        expect(shown.join(' ').split(' ')).toEqual(some);
        for (const [index, line] of shown.entries()) {
          const [next = ''] = (shown[index + 1] ?? '').split(' ');
          expect(line.length).toBeLessThanOrEqual(79);
          if (next !== '') expect(line.length + 1 + next.length).toBeGreaterThan(79);
        }
      }),
    );
  });

  test('is cut where no terminal would take it', () => {
    expect(lines('a\n'.repeat(100))).toEqual(Array<string>(40).fill('a'));
    expect(lines('x'.repeat(5_000))).toEqual(['x'.repeat(2_000)]);
  });

  test('is bounded, and free of control characters, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
        const shown = lines(text);
        expect(shown.length).toBeLessThanOrEqual(40);
        expect(shown.filter((line) => line.length > 79 && line.includes(' '))).toEqual([]);
        expect(shown.filter((line) => /[\p{Cc}\p{Cf}\p{Cs}]/u.test(line))).toEqual([]);
        expect(shown.join('').length).toBeLessThanOrEqual(2_000);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the name of a terminal', () => {
  test.each(['pts/0', 'pts/4095', 'tty1', 'ttyS0', 'ttyAMA0', 'ttyUSB1', 'ttysclp0', 'hvc0', 'console', 'sclp_line0'])(
    'is %s',
    (name) => {
      expect(isTerminalName(name)).toBe(true);
    },
  );

  test.each(['', 'tty', 'pts', 'pts/', 'pts/ptmx', 'pts/0/1', 'pts/../sda', '../tmp/x', '/dev/pts/0', 'sda', 'tty1\n'])(
    'is not "%s"',
    (name) => {
      expect(isTerminalName(name)).toBe(false);
    },
  );

  test.each(['null', 'mem', 'kmsg', ':0', 'cron', 'ssh', 'ttyS', 'vcs1'])('is not %s', (name) => {
    expect(isTerminalName(name)).toBe(false);
  });
});
