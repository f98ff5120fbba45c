// What those hear who don't see the page: who came, who left, whose hand is up. Politely, and bundled: ten people who come at once are one sentence.

import { t } from './words.js';

const BUNDLE = 1_200;
const NAMES = 3;

export class Announcer {
  #place = document.getElementById('live');
  #waiting = new Map();
  #timer = null;

  /** `kind`: the word for it (`says-joined` …), of somebody by name. */
  say(kind, name) {
    this.#waiting.set(kind, [...(this.#waiting.get(kind) ?? []), name]);
    this.#timer ??= setTimeout(() => this.#speak(), BUNDLE);
  }

  #speak() {
    this.#timer = null;
    const list = new Intl.ListFormat(document.documentElement.lang);
    const sentences = [...this.#waiting].map(([kind, names]) => {
      const first = names.slice(0, NAMES);
      const more = names.length - first.length;
      return t(kind, { names: list.format(more ? [...first, t('more', { n: more })] : first) });
    });
    this.#waiting.clear();
    this.#place.textContent = sentences.join(' ');
  }
}
