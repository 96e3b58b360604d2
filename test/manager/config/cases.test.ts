import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/config/problem.ts';
import { toToml } from '../../../src/config/show.ts';
import { buildManagerConfig, loadManagerConfig } from '../../../src/manager/config/load.ts';
import { expectGolden } from '../../support/golden.ts';

const CASES = join(import.meta.dirname, 'cases');

describe('what is said about a file', () => {
  test.each(readdirSync(CASES))('%s', (name) => {
    const { config, problems, values } = loadManagerConfig(join(CASES, name));
    const messages = problems.map((problem) => `${formatProblem(problem)}\n`).join('');
    const shown = toToml(values, true);
    const outcome = config === null ? 'NO CONFIGURATION\n' : `\n${shown}`;
    const text = `${messages}${outcome}`.replaceAll(`${CASES}/`, '');
    expect(text + shown).not.toMatch(/hunter2/);
    expectGolden(text, join(import.meta.dirname, 'golden', name.replace('.toml', '.txt')));
  });

  test.each(['airlock.toml', 'max-slots-not-used.toml', 'idle.toml'])('%s is shown as what it is', (name) => {
    const { config, values } = loadManagerConfig(join(CASES, name));
    expect(config).not.toBe(null);
    expect(buildManagerConfig({ path: 'x', text: toToml(values, true) }).config).toEqual(config);
  });
});
