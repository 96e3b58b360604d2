// Bundles src/main.ts into dist/: one entry and chunks that load when they are used. Libraries are compiled in, so the
// installed package has no dependencies of its own.
import { build } from 'esbuild';
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = ['main', 'bench'].filter((name) => existsSync(join(root, 'src', `${name}.ts`)));

rmSync(join(root, 'dist'), { recursive: true, force: true });
await build({
  entryPoints: Object.fromEntries(
    entries.map((name) => [name === 'main' ? 'holdpoint' : name, join(root, 'src', `${name}.ts`)]),
  ),
  outdir: join(root, 'dist'),
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'linked',
  external: ['usocket'],
  define: { HOLDPOINT_VERSION: JSON.stringify(version) },
  // Bundled CommonJS packages call require() for Node's own modules.
  banner: { js: "import{createRequire as __hpRequire}from'node:module';const require=__hpRequire(import.meta.url);" },
  logLevel: 'warning',
});
chmodSync(join(root, 'dist', 'holdpoint.js'), 0o755);
