// Bundles the program: one entry and chunks that load when they are used. Libraries are compiled in, except for one with
// a native part (classic-level), which npm packs into the package. Run as a program it builds src/main.ts (and the
// benchmarks) into dist/.
import { build } from 'esbuild';
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');

/** undici loads Node's HTTP/2 for connections that we never make; without it a megabyte less is held. */
const withoutHttp2 = {
  name: 'without-http2',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:http2$/ }, () => ({ path: 'node:http2', namespace: 'stub' }));
    bundler.onLoad({ filter: /.*/, namespace: 'stub' }, () => ({ contents: 'module.exports = { constants: {} };' }));
  },
};

/** Bundles entries (name → source file below the root) into a folder, which is emptied first. */
export async function bundle(outdir, entries) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, source]) => [name, join(root, source)])),
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: false,
    legalComments: 'linked',
    external: ['usocket', 'classic-level'],
    plugins: [withoutHttp2],
    define: { HOLDPOINT_VERSION: JSON.stringify(version) },
    // Bundled CommonJS packages call require() for Node's own modules.
    banner: { js: "import{createRequire as __hpRequire}from'node:module';const require=__hpRequire(import.meta.url);" },
    logLevel: 'warning',
  });
}

if (process.argv[1] === import.meta.filename) {
  const dist = join(root, 'dist');
  const extra = ['bench', 'bench-manager'].filter((name) => existsSync(join(root, `src/${name}.ts`)));
  const benches = Object.fromEntries(extra.map((name) => [name, `src/${name}.ts`]));
  await bundle(dist, { holdpoint: 'src/main.ts', ...benches });
  chmodSync(join(dist, 'holdpoint.js'), 0o755);
}
