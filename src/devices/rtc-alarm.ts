/** When the real-time clock's alarm comes next. */

/** The alarm registers, decoded; undefined is "don't care". Numbers that no clock shows never match. */
export interface AlarmTime {
  readonly hours: number | undefined;
  readonly minutes: number | undefined;
  readonly seconds: number | undefined;
}

const DAY = 86_400;

/** The first second of a unit of `size` at or after `from` that matches; undefined if there is none. */
const firstMatch = (wanted: number | undefined, from: number, size: number): number | undefined => {
  const at = wanted ?? from;
  return at >= from && at < size ? at : undefined;
};

/** Seconds from `now` (seconds since midnight) until the next match, 1 to 86,400; Infinity if no time of day matches. */
export function nextAlarm(now: number, alarm: AlarmTime): number {
  const start = now + 1;
  // From the first candidate second on: keep the fields that match, and where one is past, carry into the next field.
  for (let hour = Math.floor(start / 3600); hour <= 47; hour++) {
    if (alarm.hours !== undefined && hour % 24 !== alarm.hours) continue;
    const inHour = Math.max(0, start - hour * 3600);
    for (let minute = firstMatch(alarm.minutes, Math.floor(inHour / 60), 60); minute !== undefined && minute < 60; minute = firstMatch(alarm.minutes, minute + 1, 60)) {
      const second = firstMatch(alarm.seconds, Math.max(0, inHour - minute * 60), 60);
      const wait = hour * 3600 + minute * 60 + (second ?? 0) - now;
      if (second !== undefined) return wait <= DAY ? wait : Infinity;
    }
  }
  return Infinity;
}
