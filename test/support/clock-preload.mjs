// Gives a process the clocks of its simulated host, as the file in HOLDPOINT_TEST_CLOCK has them at each moment:
// { aheadMs: what the wall clock is ahead of the real one, bootedAt: seconds of the real uptime at which the host booted }.
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

const [now, uptime] = [Date.now, os.uptime];
const read = () => JSON.parse(readFileSync(process.env['HOLDPOINT_TEST_CLOCK'], 'utf8'));

Date.now = () => now() + read().aheadMs;
os.uptime = () => uptime() - read().bootedAt;
syncBuiltinESMExports();
