import { join } from 'node:path';
import { childRunner } from '../../src/hooks/child-runner.ts';
import { folder, temporary } from '../support/hooks.ts';
import { hookContract } from './contract.ts';

hookContract('hooks as children', () => {
  const base = temporary();
  return Promise.resolve({ dir: folder(join(base, 'hooks.d')), out: folder(join(base, 'out')), runner: childRunner() });
});
