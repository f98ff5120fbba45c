// What this page asks of the server's slots: whom each shows, and how large.

/** `person:source` of what a slot shows. */
const keyOf = (slot) => (slot?.person === undefined ? null : `${slot.person}:${slot.source}`);

export class Views {
  /** `mid` → what was asked last. */
  #asked = new Map();
  /** `person:source` → the slot that was asked for it. */
  #kept = new Map();

  /**
   * What is to be asked now, where that differs from what was asked last: slots as `view` takes them.
   *
   * `mids`: the video slots. `shown`: `mid` → what it shows. `wanted`: keys that must be seen whoever speaks; the other slots follow the
   * conversation. `height(key)`: how large something is shown, in device pixels; of 0, nothing is sent.
   */
  changes({ mids, shown, wanted, height }) {
    this.#keep(mids, shown, wanted);
    const keyAt = new Map([...this.#kept].map(([key, mid]) => [mid, key]));
    const changed = {};
    for (const mid of mids) {
      const key = keyAt.get(mid);
      const [person, source] = key?.split(':') ?? [];
      const wish = { want: key ? { person: Number(person), source } : 'auto', height: Math.min(height(key ?? keyOf(shown.get(mid))), 4320) };
      const text = JSON.stringify(wish);
      if (this.#asked.get(mid) === text) continue;
      this.#asked.set(mid, text);
      changed[mid] = wish;
    }
    return changed;
  }

  /** Nothing that was asked is sure to have arrived. */
  forget() {
    this.#asked.clear();
  }

  /** A slot for each that is wanted: the one where it is seen already, else an empty one, else the last: the others go on undisturbed. */
  #keep(mids, shown, wanted) {
    for (const [key, mid] of this.#kept) if (!wanted.includes(key) || !mids.includes(mid)) this.#kept.delete(key);
    for (const key of wanted) {
      if (this.#kept.has(key)) continue;
      const taken = new Set(this.#kept.values());
      const free = mids.filter((mid) => !taken.has(mid)).reverse();
      const mid = free.find((m) => keyOf(shown.get(m)) === key) ?? free.find((m) => !keyOf(shown.get(m))) ?? free[0];
      if (mid !== undefined) this.#kept.set(key, mid);
    }
  }
}
