#!/usr/bin/env node
import { agentCommand } from './cli/agent.ts';
import type { Command, Io } from './cli/command.ts';
import { configCommands } from './cli/config.ts';
import { demoCommand } from './cli/demo.ts';
import { dispatch } from './cli/dispatch.ts';
import { graphCommand } from './cli/graph.ts';
import { explainCommand } from './cli/explain.ts';
import { hookCommands } from './cli/hook.ts';
import { managerCommands } from './cli/manager/index.ts';
import { orderCommands } from './cli/order/index.ts';
import { postponeCommand } from './cli/postpone.ts';
import { simCommands } from './cli/sim.ts';
import { windowsCommand } from './cli/windows.ts';
import { statusCommand } from './cli/status.ts';
import { simulateCommand } from './cli/simulate.ts';

/** Every command. Help texts come from this table. */
const COMMANDS: readonly Command[] = [
  agentCommand,
  statusCommand,
  explainCommand,
  ...orderCommands,
  postponeCommand,
  windowsCommand,
  graphCommand,
  simulateCommand,
  ...managerCommands(),
  ...configCommands,
  demoCommand,
  ...hookCommands,
  ...simCommands,
];

const io: Io = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  env: process.env,
  isTTY: process.stdout.isTTY,
  columns: () => process.stdout.columns,
  rows: () => process.stdout.rows,
};

// Whoever read our output has gone: end as if told to, once, so that nothing is left behind.
const ended = new AbortController();
ended.signal.addEventListener('abort', () => process.kill(process.pid, 'SIGTERM'));
process.stdout.on('error', () => ended.abort());
// The agent writes its log there: what nobody reads is dropped, and the agent goes on.
process.stderr.on('error', () => undefined);

process.exitCode = await dispatch(COMMANDS, process.argv.slice(2), io);
