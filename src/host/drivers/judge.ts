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

const BOTH =
  'it stages releases and reboots by rules of its own: whichever finalizes first wins, and no lock or window of this agent holds it back';
const STAGES =
  'it stages deployments of its own, which this agent leaves alone; updates.source = "staged" coordinates the reboot into them';
const REBOOTS = 'it reboots this host by rules of its own, and a locked staged release is lost when it does';

/** Units that drive updates or reboots, what they do, and the way to be rid of them. */
const UNITS: Readonly<Record<string, string>> = {
  'zincati.service': BOTH,
  'rpm-ostreed-automatic.timer': STAGES,
  'rpm-ostree-automatic.timer': STAGES,
  'bootc-fetch-apply-updates.timer': BOTH,
  'uupd.timer': STAGES,
  'rebootmgr.service': REBOOTS,
  'locksmithd.service': REBOOTS,
};

/** The units that are worth asking about. */
export const DRIVER_UNITS: readonly string[] = Object.keys(UNITS);

const ACTIVE: ReadonlySet<string> = new Set(['active', 'activating', 'reloading']);

/** Judges what else drives updates, from the units' states and from rpm-ostree's own `AutomaticUpdatePolicy`. */
export function judgeDrivers(units: readonly UnitState[], automaticPolicy: string): readonly OtherDriver[] {
  const running = units.flatMap(({ name, activeState }) => {
    const what = Object.hasOwn(UNITS, name) && ACTIVE.has(activeState) ? UNITS[name] : undefined;
    return what === undefined
      ? []
      : [{ name, advice: `${name} is active: ${what}. To stop it: systemctl disable --now ${name}` }];
  });
  const policy = POLICIES.get(automaticPolicy);
  if (policy === undefined) return running;
  const name = `AutomaticUpdatePolicy=${automaticPolicy}`;
  return [
    ...running,
    { name, advice: `rpm-ostreed.conf says ${name}: ${policy}. To stop it: AutomaticUpdatePolicy=none` },
  ];
}

/** Policies of rpm-ostreed.conf that do more than look. */
const POLICIES: ReadonlyMap<string, string> = new Map([
  ['stage', STAGES],
  ['apply', BOTH],
]);
