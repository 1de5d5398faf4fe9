import { isGuid } from '../../vocabulary/ids.ts';
import type { Literal } from '../../vocabulary/list-query.ts';

/** No literal without quotes is longer; the patterns below never see more. */
export const MAX_BARE_LITERAL = 40;

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;
const DATE = /^(\d{4})-(\d\d)-(\d\d)/;
const DATE_TIME = /^\d{4}-\d\d-\d\d(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,12})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))?$/;

/** A number, date or GUID as it stands in an expression; undefined when it is none. */
export function parseBareLiteral(text: string): Literal | undefined {
  if (text.length > MAX_BARE_LITERAL) return undefined;
  if (isGuid(text)) return { type: 'guid', value: text.toLowerCase() };
  if (NUMBER.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? { type: 'number', value } : undefined;
  }
  const value = parseDateTime(text.toUpperCase());
  return value === undefined ? undefined : { type: 'dateTime', value };
}

/**
 * ISO 8601 in UTC, cut to milliseconds, which is the resolution of every time on the wire. A date alone is its first
 * instant in UTC. A day that the calendar does not have is no date.
 */
function parseDateTime(text: string): string | undefined {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (!DATE_TIME.test(text) || Number(day) > daysOf(Number(year), Number(month))) return undefined;
  const instant = new Date(text);
  const fullYear = instant.getUTCFullYear();
  return fullYear >= 1 && fullYear <= 9_999 ? instant.toISOString() : undefined;
}

function daysOf(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month === 2) return isLeap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
