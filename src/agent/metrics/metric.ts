/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric as it stands at one moment. One without samples is not shown. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly Sample[];
}

/** What a metric has: a number, samples with labels, or null for nothing that is known. */
type Values = number | readonly Sample[] | null;

/** Something that goes up and down. */
export function gauge(name: string, help: string, values: Values): Metric {
  return { name, help, type: 'gauge', samples: samplesOf(values) };
}

/** Something that is counted since the process began. */
export function counter(name: string, help: string, values: Values): Metric {
  return { name, help, type: 'counter', samples: samplesOf(values) };
}

function samplesOf(values: Values): readonly Sample[] {
  if (values === null) return [];
  return typeof values === 'number' ? [{ labels: {}, value: values }] : values;
}

/** One of several states: each of them with 1 for the current one, else 0. */
export function oneOfThem(label: string, all: readonly string[], current: string): readonly Sample[] {
  return all.map((name) => ({ labels: { [label]: name }, value: name === current ? 1 : 0 }));
}

/** A moment in milliseconds since 1970 as Prometheus wants it: whole seconds. */
export function seconds(wall: number): number {
  return Math.floor(wall / 1000);
}
