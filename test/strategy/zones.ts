/** Zones with what clocks do: no change, an hour, half an hour, at midnight, at a minute past it, a day left out. */
export const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/London',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Havana',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Tehran',
  'Asia/Tokyo',
  'Australia/Sydney',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Apia',
  'Pacific/Kiritimati',
];

/** Long enough for everything that has changed lately: Samoa over the date line, Brazil and Morocco to new rules. */
export const FROM = Date.parse('2011-10-10T00:00Z');
export const TO = Date.parse('2021-10-10T00:00Z');
