/** Something besides this agent that may update or reboot the host. */
export interface OtherDriver {
  /** Unit or setting. */
  readonly name: string;
  /** One sentence: what it does, who wins, and what would change it. */
  readonly advice: string;
}

/** A unit as systemd lists it. */
export interface UnitState {
  readonly name: string;
  readonly activeState: string;
}

/** Where this agent's targets come from: with `staged`, somebody else has to stage them. */
type Source = 'graph' | 'staged';

/** What a driver does by itself: stages deployments, reboots the host, or both. */
type Does = 'stages' | 'reboots' | 'both';

/** What it means, and who wins, by the source; null: nothing to warn of. */
const MEANS: Readonly<Record<Source, Readonly<Record<Does, string | null>>>> = {
  graph: {
    stages:
      'it stages deployments of its own and wins, since this agent leaves them alone; updates.source = "staged" coordinates the reboot into them',
    reboots: 'it reboots this host by rules of its own: whichever is first wins, and a locked staged release is lost',
    both: 'it stages releases and reboots by rules of its own: whichever finalizes first wins, and no lock or window of this agent holds it back',
  },
  staged: {
    stages: null,
    reboots:
      'it reboots this host by rules of its own: whichever is first wins, no lock or window of this agent holds it back, and a locked deployment is lost',
    both: 'it stages deployments, as is expected, but reboots into them by rules of its own: whichever is first wins, and no lock or window of this agent holds it back',
  },
};

/** Units that drive updates or reboots. */
const UNITS: Readonly<Record<string, Does>> = {
  'zincati.service': 'both',
  'rpm-ostreed-automatic.timer': 'stages',
  'rpm-ostree-automatic.timer': 'stages',
  'bootc-fetch-apply-updates.timer': 'both',
  'uupd.timer': 'stages',
  'rebootmgr.service': 'reboots',
  'locksmithd.service': 'reboots',
};

/** Policies of rpm-ostreed.conf that do more than look. */
const POLICIES: ReadonlyMap<string, Does> = new Map([
  ['stage', 'stages'],
  ['apply', 'both'],
]);

/** The units that are worth asking about. */
export const DRIVER_UNITS: readonly string[] = Object.keys(UNITS);

const ACTIVE: ReadonlySet<string> = new Set(['active', 'activating', 'reloading']);

/**
 * Judges what else drives updates, from the units' states and from rpm-ostree's own `AutomaticUpdatePolicy`. With the
 * source `staged` those that only stage are what this agent lives on, and none of its business.
 */
export function judgeDrivers(
  units: readonly UnitState[],
  automaticPolicy: string,
  source: Source,
): readonly OtherDriver[] {
  const running = units.flatMap(({ name, activeState }) => {
    const does = Object.hasOwn(UNITS, name) && ACTIVE.has(activeState) ? UNITS[name] : undefined;
    const what = does === undefined ? null : MEANS[source][does];
    if (does === undefined || what === null) return [];
    const instead = source === 'staged' && does === 'both' ? INSTEAD : '';
    return [{ name, advice: `${name} is active: ${what}. ${instead}To stop it: systemctl disable --now ${name}` }];
  });
  const does = POLICIES.get(automaticPolicy);
  const what = does === undefined ? null : MEANS[source][does];
  if (what === null) return running;
  const name = `AutomaticUpdatePolicy=${automaticPolicy}`;
  const better = source === 'staged' ? 'stage' : 'none';
  return [
    ...running,
    { name, advice: `rpm-ostreed.conf says ${name}: ${what}. To stop it: AutomaticUpdatePolicy=${better}` },
  ];
}

/** Without a word about this, the host would be left with nothing that updates it. */
const INSTEAD = 'Let something stage that does not reboot instead (AutomaticUpdatePolicy=stage). ';
