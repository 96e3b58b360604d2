import type { Window } from '../config/window.ts';
import { joined } from './period.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Milliseconds that a clock counts through a week. */
export const WEEK = 7 * DAY;

/** A part of the week, half-open, in milliseconds that the clock shows since Sunday 00:00: 0 <= from < to <= WEEK. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What weekly windows cover together: ascending, apart from each other, cut where the week ends. */
export function unionOf(windows: readonly Window[]): readonly Span[] {
  return joined(windows.flatMap(spansOf));
}

/** Whether nothing of the week is left out. */
export function isWholeWeek([first]: readonly Span[]): boolean {
  return first?.from === 0 && first.to === WEEK;
}

/** Whether a clock that shows this moment of the week, 0 <= clock < WEEK, is within one of the spans. */
export function covers(spans: readonly Span[], clock: number): boolean {
  return spans.some(({ from, to }) => from <= clock && clock < to);
}

/** The next moment of the week after `clock` at which a span begins or ends; WEEK when there is none before its end. */
export function nextEdge(spans: readonly Span[], clock: number): number {
  for (const { from, to } of spans) {
    if (from > clock) return from;
    if (to > clock) return to;
  }
  return WEEK;
}

function spansOf({ days, startMinute, lengthMinutes }: Window): readonly Span[] {
  return days.flatMap((day) => {
    const from = day * DAY + startMinute * MINUTE;
    const to = from + lengthMinutes * MINUTE;
    if (to <= WEEK) return [{ from, to }];
    return [
      { from, to: WEEK },
      { from: 0, to: to - WEEK },
    ];
  });
}
