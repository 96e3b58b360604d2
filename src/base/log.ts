import { pino, type DestinationStream, type Logger } from 'pino';
import { oneLine } from './text.ts';

/** A logger: `log.info({ version }, 'text')`. */
export type Log = Logger & {
  /** Does something whose lines are written at once when it is over: a write costs more than a line. */
  readonly together: (run: () => void) => void;
};

/** How log lines look: for people, or one JSON object a line. */
export type LogFormat = 'text' | 'json';

/** The levels that can be asked for, from the quietest to the loudest. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
/** One of them. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where and how to log. */
export interface LogOptions {
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** Writes finished lines, each with its newline. */
  readonly write: (line: string) => void;
  /** Lines begin with a priority, `<4>`, that journald takes off and stores; no time, which it stores as well. */
  readonly journald: boolean;
}

/** Makes a logger. In both formats a line is one line, whatever the text in it. */
export function createLog({ format, level, write, journald }: LogOptions): Log {
  let gathered: string | null = null;
  const stream: DestinationStream = {
    write(json: string): void {
      const record = JSON.parse(json) as Readonly<Record<string, unknown>>;
      const priority = journald ? `<${PRIORITIES[String(record['level'])] ?? 6}>` : '';
      const line = format === 'json' ? priority + json : `${priority}${readable(record, !journald)}\n`;
      if (gathered === null) write(line);
      else gathered += line;
    },
  };
  const together = (run: () => void): void => {
    if (gathered !== null) {
      run();
      return;
    }
    gathered = '';
    try {
      run();
    } finally {
      const lines = gathered;
      gathered = null;
      if (lines !== '') write(lines);
    }
  };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return Object.assign(logger, { together });
}

/** Priorities of syslog, by pino's names of levels. */
const PRIORITIES: Readonly<Record<string, number>> = { fatal: 2, error: 3, warn: 4, info: 6, debug: 7, trace: 7 };

function readable(record: Readonly<Record<string, unknown>>, withTime: boolean): string {
  const { time, level, msg, ...fields } = record;
  const head = withTime ? `${String(time)} ${String(level).toUpperCase().padEnd(5)} ` : '';
  const tail = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return oneLine(`${head}${typeof msg === 'string' ? msg : ''}${tail.join('')}`, 2000);
}

function fieldText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}
