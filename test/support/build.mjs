// Bundles the program once for all suites that run it as a process, apart from dist/, which may be in use.
import { join } from 'node:path';
import { bundle } from '../../.ci/build.mjs';

export default async function setup(project) {
  const folder = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', `holdpoint-test-${process.pid}`);
  await bundle(folder, {
    holdpoint: 'src/main.ts',
    'crashing-agent': 'test/e2e/crashing-agent.ts',
    'embedded-store': 'test/manager/store/embedded-child.ts',
  });
  project.provide('bundle', folder);
  return async () => {
    const { rm } = await import('node:fs/promises');
    await rm(folder, { recursive: true, force: true });
  };
}
