/**
 * The IANA name of a configured time zone: itself, or for `localtime` the zone of this host as it was when the process
 * started, UTC when that is unknown. Asking for `localtime` loads Node's time zone data.
 */
export function resolveTimeZone(configured: string): string {
  if (configured !== 'localtime') return configured;
  const zone: { readonly timeZone?: string } = new Intl.DateTimeFormat().resolvedOptions();
  // Where TZ or /etc/localtime name no zone, Node says so, or nothing at all, and its clocks show UTC.
  return zone.timeZone === undefined || zone.timeZone === 'Etc/Unknown' ? 'UTC' : zone.timeZone;
}
