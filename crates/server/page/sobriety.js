// What one's own part of the conversation has cost within the hour: bytes both ways, and the server's processor time.

import { language, t } from './words.js';

const HOUR = 3_600_000;
/** Between two marks: an hour is 60 of them. */
const MARK = 60_000;

export class Sobriety {
  /** What had been spent when, oldest first. Nothing when one came. */
  #marks = [];
  #last = 0;

  /** The line, with the server's newest totals. */
  say({ cpu_ms: cpu, bytes_in: up, bytes_out: down }, now = performance.now()) {
    const total = { at: now, cpu, bytes: up + down };
    // Fewer than before: one has joined anew, and the server counts from nothing.
    if (total.bytes < this.#last) this.#marks = [];
    this.#last = total.bytes;
    if (!this.#marks.length) this.#marks.push({ at: now, cpu: 0, bytes: 0 });
    else if (now - this.#marks.at(-1).at >= MARK) this.#marks.push(total);
    while (this.#marks.length > 1 && this.#marks[1].at <= now - HOUR) this.#marks.shift();
    const [from] = this.#marks;
    return t('sobriety', { bytes: bytes(total.bytes - from.bytes), time: time((total.cpu - from.cpu) / 1_000) });
  }
}

const number = (value, unit, digits) =>
  value.toLocaleString(language, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits });

/** Three digits at most, and a unit that people say. */
function bytes(n) {
  const [unit, size] = n < 1e6 ? ['kilobyte', 1e3] : n < 1e9 ? ['megabyte', 1e6] : ['gigabyte', 1e9];
  return number(n / size, unit, n / size < 10 && size > 1e3 ? 1 : 0);
}

function time(seconds) {
  return seconds < 100 ? number(seconds, 'second', seconds < 10 ? 1 : 0) : number(seconds / 60, 'minute', 0);
}
