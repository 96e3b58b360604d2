import { errorText } from '../base/text.ts';

/** Told of errors that concern no caller. */
export type Report = (error: Error) => void;

/** Calls somebody's handler; what it throws is reported and goes no further. */
export function contain(report: Report, handler: () => void): void {
  try {
    handler();
  } catch (error) {
    report(error instanceof Error ? error : new Error(errorText(error)));
  }
}
