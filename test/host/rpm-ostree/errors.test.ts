import { describe, expect, it } from 'vitest';
import { FailureError } from '../../../src/base/failure.ts';
import { BusClosedError, BusError, BusTimeoutError } from '../../../src/bus/api.ts';
import { busFailure, classify, finishedFailure } from '../../../src/host/rpm-ostree/errors.ts';

const CODE_26 = 'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code26';
const CHECKSUM = 'a'.repeat(64);

describe('classify', () => {
  it.each([
    ['No pending staged deployment found', 'gone'],
    ['No rollback deployment found', 'gone'],
    [`Expected staged base checksum ${CHECKSUM}, but found ${CHECKSUM}`, 'gone'],
    ['Staged deployment already unlocked', 'unlocked'],
    ['Reboot initiated, cannot start new transaction', 'underway'],
    ["Upgrade target revision 'x' with timestamp 'y' is chronologically older than current revision 'z'", 'release'],
    [`Checksum ${CHECKSUM} not found in fedora:fedora/x86_64/coreos/stable`, 'release'],
    ['Fetching manifest: reading manifest stable in quay.io/x: manifest unknown', 'release'],
    ['Reboot blocked by a systemd inhibitor lock in `block` mode\nHeld by: dnf (pid 3)', 'transient'],
    ["While fetching https://example.org/config: [7] Couldn't connect to server", 'transient'],
    ['Transaction in progress: deploy --lock-finalization', 'transient'],
    ['System transaction in progress', 'transient'],
    ['error: Operation was cancelled', 'transient'],
    ['GPG signatures found, but none are in trusted keyring', 'release'],
    ["Can't check signature: public key not found", 'release'],
    ['', 'transient'],
    ['something that nobody has seen before', 'transient'],
  ])('%s: %s', (text, expected) => {
    expect(classify(text)).toBe(expected);
  });

  it.each([
    'Transaction in progress: override replace gnupg2-signature.rpm',
    'Transaction in progress: Reboot initiated',
    'Transaction in progress: No pending staged deployment found',
    'Reboot blocked by a systemd inhibitor lock in `block` mode\nHeld by: GPG agent (signature in progress)',
    'While fetching https://example.org/sigstore/signature-1: [28] Timeout was reached',
  ])('is not misled by what others wrote: %s', (text) => {
    expect(classify(text)).toBe('transient');
  });
});

describe('finishedFailure', () => {
  it('makes one line of the text', () => {
    const text = 'Reboot blocked by a systemd inhibitor lock in `block` mode\nHeld by: dnf';
    expect(finishedFailure(text)).toEqual({ class: 'transient', text: text.replace('\n', ' ') });
  });
});

describe('busFailure', () => {
  const failure = (error: unknown): unknown => busFailure(error, 'finalizing 43.2', 'unknown');

  it('says what a denial needs', () => {
    const denied = new BusError('org.freedesktop.DBus.Error.AccessDenied', 'not authorized');
    expect(failure(denied)).toEqual({
      class: 'transient',
      text: "finalizing 43.2: denied by polkit; is the rule for the agent's user installed?",
    });
  });

  it('classes the texts of error replies', () => {
    expect(failure(new BusError(CODE_26, 'Transaction in progress: upgrade\nx'))).toEqual({
      class: 'transient',
      text: 'finalizing 43.2: Transaction in progress: upgrade x',
    });
    expect(failure(new BusError(CODE_26, 'Reboot initiated, cannot start new transaction'))).toMatchObject({
      class: 'underway',
    });
  });

  it.each([
    new BusError('org.freedesktop.DBus.Error.NoReply', 'Message recipient disconnected'),
    new BusTimeoutError('no answer within 180 s'),
    new BusClosedError('the bus has gone'),
  ])('does not claim to know how a call ended that got no answer: $name', (error) => {
    expect(failure(error)).toEqual({ class: 'unknown', text: `finalizing 43.2: ${error.message}` });
  });

  it('passes on what is a failure already', () => {
    const known = { class: 'gone', text: 'x' } as const;
    expect(failure(new FailureError(known))).toBe(known);
  });

  it('takes anything else for something that passes', () => {
    expect(failure(new TypeError('odd'))).toEqual({ class: 'transient', text: 'finalizing 43.2: odd' });
    expect(failure('odd')).toEqual({ class: 'transient', text: 'finalizing 43.2: odd' });
  });
});
