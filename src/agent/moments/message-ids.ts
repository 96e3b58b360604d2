import type { MomentName } from '../../config/moment-names.ts';

/** `MESSAGE_ID` of each moment in the journal. They never change; `systemd/holdpoint.catalog` explains them. */
export const MESSAGE_IDS: Readonly<Record<MomentName, string>> = {
  'target-found': '7af2f67dc93341878f3ec3c0ecf22839',
  staged: '3739944dbde24b98b0a51756210a361b',
  'slot-granted': '46e4e5024198404b9a25da1471696fd2',
  'slot-refused': '38e6c09662f14e4f97cf1a65bb41417e',
  rebooting: 'e6530d18670349568a7a1e5e5c3c0333',
  'reboot-refused': 'b996ddfa3c4147dc9eb662d857702fd1',
  back: 'de78d5987eb7440bad4c8d97c4f1f4f6',
  'rolled-back': '0fc3685531404442ada1620be32676c6',
  quarantined: '63583a9ee03c4fe2960a2ea233371ca1',
  'dead-end': '30ba861d7c504ce99cbee4d40389d976',
  paused: 'b91608cc91984e1f876560afe0bbe50d',
  resumed: '922b5e60021f47a18115d1622653f44e',
  stuck: 'b069b42b627d43ed80109ae5de82ddb5',
  recovered: '1386933e2c7f49c7903e434d51c39dc1',
};
