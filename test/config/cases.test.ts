import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { toToml } from '../../src/config/show.ts';
import { expectGolden } from '../support/golden.ts';

const CASES = join(import.meta.dirname, 'cases');

describe('what is said about a folder of drop-ins', () => {
  test.each(readdirSync(CASES))('%s', async (name) => {
    const { config, problems, values } = await loadConfig([join(CASES, name)]);
    const messages = problems.map((problem) => `${formatProblem(problem)}\n`).join('');
    const outcome = config === null ? 'NO CONFIGURATION\n' : `\n${toToml(values, true)}`;
    const text = `${messages}${outcome}`.replaceAll(`${CASES}/${name}/`, '');
    expect(text).not.toMatch(/hunter2|hun.?ter2|s3cret/);
    expectGolden(text, join(import.meta.dirname, 'golden', `${name}.txt`));
  });
});
