import type { Command } from '../command.ts';
import { cancelCommand } from './cancel.ts';
import { checkCommand } from './check.ts';
import { pauseCommand } from './pause.ts';
import { resumeCommand } from './resume.ts';
import { skipCommand } from './skip.ts';
import { unskipCommand } from './unskip.ts';
import { updateCommand } from './update.ts';

/** The commands that order something of the agent. */
export const orderCommands: readonly Command[] = [
  checkCommand,
  updateCommand,
  cancelCommand,
  pauseCommand,
  resumeCommand,
  skipCommand,
  unskipCommand,
];
