import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

/** Files whose functions depend on their arguments alone. They import nothing but each other. */
const PURE = [
  /^agent\/machine\//,
  /^agent\/gates\//,
  /^agent\/report\//,
  /^agent\/dbus\/names\.ts$/,
  /^agent\/moments\/(changes|entry|message-ids|moment|notice|stuck|watch)\.ts$/,
  /^agent\/metrics\/(counts|metric|samples|zincati)\.ts$/,
  /^agent\/motd\/text\.ts$/,
  /^agent\/dbus\/(last-check|names)\.ts$/,
  /^graph\/(?!client)/,
  /^strategy\//,
  /^host\/rpm-ostree\/(deployment|plan)\.ts$/,
  /^host\/identity\/parse\.ts$/,
  /^host\/drivers\/judge\.ts$/,
  /^host\/holds\/hold\.ts$/,
  /^host\/power-supplies\.ts$/,
  /^host\/logind\/(inhibitor|names|people|session)\.ts$/,
  /^host\/terminal-text\.ts$/,
  /^host\/systemd\/(health|unit)\.ts$/,
  /^fleetlock\/(protocol|answer)\.ts$/,
  /^config\/(cron|facts|freeze|holding|moment-names|notify|people|problem|reboot-window|redact|show|table|template|together-freezes|together-holding|together-lock|together-notify|together-windows|token|types|url|window|zone)\.ts$/,
  /^manager\/config\/(build|facts)\.ts$/,
  /^bus\/(dict|address)\.ts$/,
  /^base\/(clock-text|codec|failure|moment|record|retry-after|shape|siphash|text|version)\.ts$/,
  /^manager\/(answer|batch|document|doubts|notices|order|held-open|holdings|overview|pending|percentages|policy|presence|queue|refusals|semaphore|sights)\.ts$/,
  /^manager\/admin\/(orders|wire)\.ts$/,
  /^cli\/(local-time|postponed)\.ts$/,
  /^cli\/windows\//,
  /^cli\/graph\/(?!document|host|make|source)/,
  /^cli\/postponed\.ts$/,
  /^cli\/report\/(changes|explain-text|layout|local-time|news|status-text|words)\.ts$/,
  /^cli\/(agent-unit|postponed|order\/ordered)\.ts$/,
  /^cli\/manager\/(columns|history-text|shell|status-text)\.ts$/,
  /^manager\/store\/(codec|history|layout|memory|state|store)\.ts$/,
  /^manager\/meter\.ts$/,
  /^hooks\/(event|outcome)\.ts$/,
  /^simulate\//,
  /^sim\/fleet\/(events|table|watch|words)\.ts$/,
  /^manager\/http\/(answers|credentials|limits|prefer|routes)\.ts$/,
  /^manager\/store\/etcd\/(airlock|failure|group|keys|messages|own-writes|plan|reconcile|view)\.ts$/,
];

/** Modules that stand for a clock, a device or chance. */
const IMPURE =
  /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bprocess\.|\bsetTimeout\(|\bsetInterval\(/;

/** Which folder may import from which; what composes the others is not listed. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  bus: ['base'],
  config: ['base'],
  graph: ['base'],
  fleetlock: ['base'],
  host: ['base', 'bus', 'graph'],
  hooks: ['base', 'bus', 'host'],
  manager: ['base', 'config', 'fleetlock', 'strategy'],
  'manager/config': ['base', 'config'],
  strategy: ['base', 'config'],
};

interface Import {
  readonly from: string;
  readonly to: string;
  /** Gone when the program runs. */
  readonly typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const code = new Map(files.map((file) => [file, readFileSync(join(SRC, file), 'utf8')]));
const imports = files.flatMap((file) => importsOf(file));
const pure = files.filter((file) => PURE.some((pattern) => pattern.test(file)));

function importsOf(file: string): readonly Import[] {
  const pattern = /^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)';/gms;
  return [...(code.get(file) ?? '').matchAll(pattern)].map(([whole, type, to = '']) => {
    const names = /\{([^}]*)\}/
      .exec(whole)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '') ?? [''];
    const typeOnly = type !== undefined || names.every((name) => name.trim().startsWith('type '));
    return { from: file, to: to.startsWith('.') ? relative(SRC, resolve(SRC, dirname(file), to)) : to, typeOnly };
  });
}

describe('pure files', () => {
  test('are those that are meant', () => {
    expect(pure).toContain('agent/machine/step.ts');
    for (const pattern of PURE)
      expect(
        files.some((file) => pattern.test(file)),
        String(pattern),
      ).toBe(true);
  });

  test.each(pure)('%s imports pure files only', (file) => {
    const others = imports.filter(({ from, to, typeOnly }) => from === file && !typeOnly && !pure.includes(to));
    expect(others.map(({ to }) => to)).toEqual([]);
  });

  test.each(pure)('%s asks neither clock nor chance nor process', (file) => {
    expect(IMPURE.exec(code.get(file) ?? '')).toBeNull();
  });
});

describe('layers', () => {
  test.each(Object.entries(LAYERS))('%s imports no other folder than its own and %s', (layer, allowed) => {
    const inside = imports.filter(({ from, to }) => from.startsWith(`${layer}/`) && files.includes(to));
    const wrong = inside.filter(({ to }) => ![layer, ...allowed].some((folder) => to.startsWith(`${folder}/`)));
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('the simulator shares nothing with the D-Bus client', () => {
    const shared = imports.filter(({ from, to }) => from.startsWith('sim/') && /^(bus|host|agent)\//.test(to));
    expect(shared.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('no import leads back to where it came from', () => {
    const next = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
    const cycles: string[] = [];
    const done = new Set<string>();
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const to of next.get(file) ?? []) walk(to, [...path, file]);
      done.add(file);
    };
    for (const file of files) walk(file, []);
    expect(cycles).toEqual([]);
  });
});
