import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadScenery, wayUp } from '../../src/sim/scenery.ts';
import { graphText, smallGraph } from '../support/simulated.ts';

/** A file with a graph. */
function fileWith(graph: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'hp-scenery-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'graph.json');
  writeFileSync(file, graph);
  return file;
}

const LINE = smallGraph(
  ['40.1.1.0', '40.2.2.0', '40.3.3.0', '40.4.4.0'],
  [
    [0, 1],
    [1, 2],
    [1, 3],
    [2, 3],
  ],
);

describe('scenery', () => {
  test('begins with the oldest release', () => {
    const scenery = loadScenery({});
    expect(scenery.from).toBe('31.20200108.3.0');
    expect(wayUp(scenery)).toHaveLength(20);
  });

  test.each(['stable-x86_64-oci', 'testing-aarch64-checksum', 'next-x86_64-checksum'])(
    'begins so many hops below the newest release of %s',
    (name) => {
      const graph = fileWith(graphText(name));
      const top = wayUp(loadScenery({ graph })).at(-1);
      for (const hops of [1, 2, 4]) {
        const way = wayUp(loadScenery({ graph, hops }));
        expect(way).toHaveLength(hops);
        expect(way.at(-1)).toBe(top);
      }
    },
  );

  test('takes the shortest way, and the oldest release when there are not so many hops', () => {
    const graph = fileWith(LINE);
    expect(wayUp(loadScenery({ graph }))).toEqual(['40.2.2.0', '40.4.4.0']);
    expect(loadScenery({ graph, hops: 1 }).from).toBe('40.2.2.0');
    expect(loadScenery({ graph, hops: 9 }).from).toBe('40.1.1.0');
  });

  test('refuses what is no graph and releases that are not there', () => {
    expect(() => loadScenery({ graph: '/nowhere.json' })).toThrow('/nowhere.json: there is no such file');
    expect(() => loadScenery({ graph: fileWith('[]') })).toThrow('this is no update graph');
    expect(() => loadScenery({ graph: fileWith(LINE), from: '1.2' })).toThrow('there is no release 1.2 in this graph');
  });
});
