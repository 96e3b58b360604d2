import { describe, expect, it } from 'vitest';
import { judge } from '../../src/fleetlock/answer.ts';
import type { Operation } from '../../src/fleetlock/protocol.ts';

function answer(status: number, body: string, operation: Operation = 'pre-reboot') {
  return judge(operation, { status, body, retryAfterMs: undefined }, body);
}

function refusal(kind: string, value = 'why'): string {
  return JSON.stringify({ kind, value });
}

describe("a server's own refusal", () => {
  it.each([
    [409, 'slots_full'],
    [409, 'held_elsewhere'],
    [423, 'frozen'],
    [423, 'lock_held'],
    [423, 'outside_window'],
    [423, 'not_your_turn'],
    [423, 'halted'],
    [423, 'blocked'],
    [400, 'unknown_group'],
    [429, 'slots_full'],
    [403, 'a_kind_of_another_server'],
  ])('%s %s says for certain that nothing is held', (status, kind) => {
    expect(answer(status, refusal(kind))).toEqual({ kind: 'no', text: `HTTP ${status}: ${kind}: why` });
  });

  it('is also airlock saying that all slots are taken, but not that its store failed', () => {
    expect(answer(500, refusal('failed_lock', 'all 2 semaphore slots currently locked'))).toMatchObject({ kind: 'no' });
    expect(answer(500, refusal('failed_lock', 'etcd: timeout'))).toMatchObject({ failure: { class: 'unknown' } });
  });
});

describe('an answer that says nothing about the slot', () => {
  it.each([
    [401, refusal('unauthorized')],
    [403, refusal('forbidden')],
    [404, refusal('not_found')],
    [405, refusal('method_not_allowed')],
    [413, refusal('request_too_large')],
    [400, refusal('invalid_request')],
    [400, refusal('missing_header')],
    [400, refusal('decode_error')],
    [400, refusal('invalid_client_identity')],
    [400, '<h1>Bad Request</h1>'],
    [401, ''],
    [403, '{"message":"forbidden"}'],
    [404, 'Not Found'],
    [409, '{"kind":"slots_full"}'],
    [409, '{"kind":"","value":"full"}'],
    [413, '<html>'],
    [421, 'Misdirected'],
    [423, '<html>WebDAV</html>'],
    [429, 'slow down'],
  ])('%s with %s came to nothing, and tells nothing of a question before it', (status, body) => {
    for (const operation of ['pre-reboot', 'steady-state'] as const) {
      expect(answer(status, body, operation)).toMatchObject({ kind: 'failed', failure: { class: 'transient' } });
    }
  });

  it.each([
    [408, ''],
    [408, refusal('request_timeout')],
    [503, refusal('draining')],
    [503, refusal('conflict')],
    [503, refusal('store_unavailable')],
    [502, 'Bad Gateway'],
  ])('%s with %s may have been carried out', (status, body) => {
    expect(answer(status, body)).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
  });

  it.each([
    [401, 'check the token or certificate that updates.fleet_lock configures'],
    [403, 'check the token or certificate that updates.fleet_lock configures'],
    [404, 'check the path of updates.fleet_lock.base_url'],
    [405, 'check the path of updates.fleet_lock.base_url'],
  ])('%s comes with advice', (status, advice) => {
    expect(answer(status, 'x')).toMatchObject({ failure: { text: `HTTP ${status}: x (${advice})` } });
  });
});
