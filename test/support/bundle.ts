import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/** A program made of source files, in a temporary folder. */
export interface Bundle {
  /** Node and the program; arguments are added to it. */
  readonly command: readonly [string, ...string[]];
  remove(): void;
}

/** Bundles a program whose main file has this text; imports in it are relative to the root of the repository. */
export async function bundle(main: string): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'hp-bundle-'));
  const outfile = join(folder, 'program.mjs');
  const require = "import{createRequire as __hpRequire}from'node:module';const require=__hpRequire(import.meta.url);";
  await build({
    stdin: { contents: main, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['usocket'],
    banner: { js: require },
    logLevel: 'silent',
  });
  return {
    command: [process.execPath, outfile],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The simulated rpm-ostree daemon, as `createMachine` wants its command. */
export function bundleRpmOstreed(): Promise<Bundle> {
  return bundle(`
    import { runRpmOstreed } from './src/sim/rpm-ostreed/index.ts';
    await runRpmOstreed({ host: process.argv[process.argv.indexOf('--host') + 1] ?? '' });
  `);
}
