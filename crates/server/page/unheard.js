// One speaks, and is muted: a louder sign than a crossed microphone.

import { Meter } from './devices.js';

/** How often the muted microphone is looked at, and what counts as speaking: so loud, so many times of the last `LOOKS`. */
const EVERY = 200;
const LOUD = 0.1;
const LOOKS = 6;
const OFTEN = 4;
/** No second word for so long. */
const REST = 12_000;

export class Unheard {
  #say;
  #of = null;
  #ears = null;
  #timer = null;
  #last = [];
  #quietUntil = 0;

  /** `say()` is called when somebody speaks who is muted. */
  constructor(say) {
    this.#say = say;
  }

  /** Listens to a muted microphone, or to none. Listens to a copy: the track itself stays silenced, whatever becomes of it. */
  watch(track) {
    if (track === this.#of) return;
    this.#of = track;
    clearInterval(this.#timer);
    this.#ears?.meter.close();
    this.#ears?.copy.stop();
    this.#ears = null;
    this.#last = [];
    if (!track) return;
    const copy = track.clone();
    copy.enabled = true;
    this.#ears = { copy, meter: new Meter() };
    this.#timer = setInterval(() => this.#look(), EVERY);
  }

  #look() {
    const { copy, meter } = this.#ears;
    this.#last = [...this.#last, meter.of(copy) > LOUD].slice(-LOOKS);
    const now = performance.now();
    if (now < this.#quietUntil || this.#last.filter(Boolean).length < OFTEN) return;
    this.#quietUntil = now + REST;
    this.#say();
  }
}
