import { freezeType } from './freeze.ts';
import { key, list, type Key } from './keys.ts';
import { PEOPLE } from './people.ts';
import { absolutePath, arrayOf, boolean, integer, text } from './types.ts';

const DAY = 86_400;
const sessionClass = text('a class of sessions such as "user"', /^[a-z][a-z0-9-]*$/);
const unit = text(
  'the name of a unit such as "boot-complete.target"',
  /^(?=.{1,255}$)[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\-]+)?\.(?:target|service)$/,
);

/** What keeps a staged update back, beside strategies. */
export const HOLDING_KEYS = {
  'updates.min_uptime_secs': key(
    integer(0, 7 * DAY),
    0,
    'Seconds that the host must be up before it is rebooted into an update, so that it can be set up in peace. 0: none.',
  ),
  'updates.clock_wait_secs': key(
    integer(0, DAY),
    600,
    'Seconds after the boot for which windows and freezes wait at most until the clock of the host is synchronised; one of which nobody can tell (there is no systemd-timedated) counts as not synchronised. 0: they do not wait.',
  ),
  'updates.freeze': list(
    freezeType,
    'Days on which the host does not reboot, whatever the strategy: `from` and `until` (`"2026-12-20"`, both days included; one day without `until`), or with `yearly = true` `"12-20"` and `"01-06"`, also over the end of the year; `reason`, which people are shown; and if you like a `time_zone` (that of `updates.periodic.time_zone` without). Freezes of all files add up and may overlap.',
  ),
  'updates.sessions.enabled': key(
    boolean,
    true,
    'Whether people who are logged in are asked for patience first: they are told of the reboot and get time to finish.',
  ),
  'updates.sessions.classes': key(
    arrayOf(sessionClass, 'an array of classes of sessions such as ["user"]'),
    [...PEOPLE],
    'Classes of logind sessions that stand for people.',
  ),
  'updates.sessions.idle_secs': key(
    integer(0, 7 * DAY),
    0,
    'Seconds after which an idle session does not count any more. 0: idle ones count too.',
  ),
  'updates.sessions.grace_secs': key(
    integer(0, DAY),
    600,
    'Seconds that people get to finish, from the first message on. After them the fleet is asked for its slot, and the last notice follows.',
  ),
  'updates.sessions.final_notice_secs': key(
    integer(0, 3600),
    60,
    'Seconds of the last notice, when people are logged in while the host has all that it needs for its reboot, its slot too.',
  ),
  'updates.sessions.unreadable_secs': key(
    integer(0, DAY),
    1800,
    'Seconds for which a list of sessions that cannot be read counts as "somebody is here"; then as nobody.',
  ),
  'updates.sessions.postpone_secs': key(
    integer(0, 7 * DAY),
    0,
    'Seconds in total by which the people who are logged in may postpone a reboot. 0: not at all.',
  ),
  'updates.inhibitors.enabled': key(
    boolean,
    true,
    "Whether logind's block inhibitors for shutdown keep the host from rebooting.",
  ),
  'updates.power.require_ac': key(
    boolean,
    false,
    'Whether the host is not rebooted while it runs on battery. One of which nobody can tell what it runs on is rebooted.',
  ),
  'updates.network.avoid_metered': key(
    boolean,
    false,
    'Whether nothing is downloaded while NetworkManager says that the network is metered.',
  ),
  'hooks.dir': key(
    absolutePath('/etc/holdpoint/hooks.d'),
    '/etc/holdpoint/hooks.d',
    'Folder of the hooks: executables `EVENT/NAME` in it.',
  ),
  'hooks.timeout_secs': key(integer(1, DAY), 300, 'Seconds after which a hook is ended, which counts as its failure.'),
  'hooks.may_reboot_timeout_secs': key(
    integer(1, 600),
    30,
    'The same for hooks of the event `may-reboot`, which are asked often.',
  ),
  'health.unit': key(
    unit,
    'boot-complete.target',
    'Unit of systemd that is active when this boot is a healthy one. A host without it has nothing to wait for.',
  ),
  'health.timeout_secs': key(
    integer(1, DAY),
    600,
    'Seconds after which a boot that is not healthy yet counts as an unhealthy one.',
  ),
  'health.rollback': key(
    boolean,
    false,
    'Whether an unhealthy boot of a new release is rolled back: the host is rebooted into the one before, and that release is not applied again.',
  ),
} satisfies Readonly<Record<string, Key<unknown>>>;
