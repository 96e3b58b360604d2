/** The options of a daemon that say how it logs. */
export const LOG_OPTIONS = {
  'log-format': { type: 'string', choices: ['text', 'json'], help: 'how log lines look (default text)' },
  'log-level': {
    type: 'string',
    choices: ['error', 'warn', 'info', 'debug'],
    help: 'least level shown (default info)',
  },
} as const;
