import { type Facts, unused } from './facts.ts';
import { tokenProblem } from './token.ts';
import { sampleOf } from './url.ts';

/** Strategy and base URL need each other. */
export function checkFleetLock({ config, report, at, good, uses }: Facts): void {
  const key = 'updates.fleet_lock.base_url';
  const isSet = config.updates.fleetLock.baseUrl !== null;
  if (!good(key) || uses('fleet_lock') === isSet) return;
  if (isSet) report(at(key), unused(key, 'fleet_lock'), 'warning');
  else report(at('updates.strategy'), `updates.strategy: "fleet_lock" needs ${key}, which is not set`);
}

const LOCK = 'updates.fleet_lock';
/** Each needs the other. */
const PAIRED = [
  [`${LOCK}.client_cert_file`, `${LOCK}.client_key_file`],
  [`${LOCK}.client_key_file`, `${LOCK}.client_cert_file`],
] as const;

/** Credentials and certificates: that they are complete, not contradictory, and of use. */
export function checkLockAccess({ config, report, at, good, uses }: Facts): void {
  const { baseUrl, tokenFile, caFile, clientCertFile, clientKeyFile } = config.updates.fleetLock;
  const files = {
    token_file: tokenFile,
    ca_file: caFile,
    client_cert_file: clientCertFile,
    client_key_file: clientKeyFile,
  };
  const given = Object.entries(files).flatMap(([name, path]) => (path === null ? [] : `${LOCK}.${name}`));
  for (const [key, other] of PAIRED) {
    if (!given.includes(key) || given.includes(other) || !good(other)) continue;
    report(at(key), `${key}: needs ${other}, which is not set`);
  }
  if (!uses('fleet_lock')) {
    for (const key of given) report(at(key), unused(key, 'fleet_lock'), 'warning');
    return;
  }
  const url = baseUrl === null ? null : sampleOf(baseUrl);
  if (url === null) return;
  for (const { key, text, severity } of problemsWith(url, given)) report(at(key), `${key}: ${text}`, severity);
}

interface Finding {
  readonly key: string;
  readonly text: string;
  readonly severity: 'error' | 'warning';
}

/** What is wrong with these files for this lock manager. */
function problemsWith(url: URL, files: readonly string[]): readonly Finding[] {
  return files.flatMap((key): Finding | readonly Finding[] => {
    if (key === `${LOCK}.token_file`) {
      const found = tokenProblem(url, `${LOCK}.base_url`);
      return found === null ? [] : { key, ...found };
    }
    const text = `has no effect, because ${LOCK}.base_url does not start with https://`;
    return url.protocol === 'https:' ? [] : { key, text, severity: 'warning' };
  });
}
