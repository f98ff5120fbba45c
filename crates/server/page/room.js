// Who is here, what is in each slot, and what that looks like.

import { Tiles } from './tiles.js';
import { has, t } from './words.js';

const VIEW_DELAY = 150;

export class Room {
  me = null;
  people = new Map();
  /** `mid` → `{ person, source }` or `{ empty }`. */
  slots = new Map();
  audioOnly = false;
  #call;
  #moderation;
  #devices;
  #send;
  #tiles;
  #views = new Map();
  #viewTimer = null;
  #floor = null;
  #speaking = new Set();
  #names = new Map();
  #self = document.createElement('video');
  #selfScreen = document.createElement('video');

  constructor({ call, devices, send, stage, moderation }) {
    this.#call = call;
    this.#moderation = moderation;
    this.#devices = devices;
    this.#send = send;
    for (const video of [this.#self, this.#selfScreen]) {
      video.muted = true;
      video.playsInline = true;
      video.autoplay = true;
    }
    this.#tiles = new Tiles(stage, () => this.#sizesChanged());
  }

  welcome({ id, people }, self) {
    this.me = id;
    this.people = new Map([...people, { ...self, id }].map((p) => [p.id, p]));
    for (const p of this.people.values()) this.#names.set(p.id, p.name);
    this.draw();
  }

  /** Another connection has taken over: all that was told meanwhile. */
  resume({ people, slots, floor, speaking }) {
    const self = this.people.get(this.me);
    this.people = new Map([...people, self].map((p) => [p.id, p]));
    for (const p of people) this.#names.set(p.id, p.name);
    this.slots = new Map(Object.entries(slots));
    for (const id of [...this.#speaking]) this.setSpeaking(id, false);
    for (const id of speaking) this.setSpeaking(id, true);
    this.setFloor(floor);
    // What was asked last may not have arrived.
    this.#views.clear();
    this.#sizesChanged();
    this.draw();
  }

  /** The name of somebody who is or was here. */
  name(id) {
    return this.#names.get(id) ?? '?';
  }

  put(person) {
    this.#names.set(person.id, person.name);
    this.people.set(person.id, person);
    this.draw();
  }

  drop(id) {
    this.people.delete(id);
    this.#speaking.delete(id);
    this.draw();
  }

  slotsChanged(changes) {
    for (const [mid, shows] of Object.entries(changes)) this.slots.set(mid, shows);
    this.draw();
  }

  setFloor(person) {
    if (this.#floor !== null) this.#tiles.mark(this.#floor, 'floor', false);
    this.#floor = person;
    if (person !== null) this.#tiles.mark(person, 'floor', true);
  }

  setSpeaking(person, on) {
    if (on) this.#speaking.add(person);
    else this.#speaking.delete(person);
    this.#tiles.mark(person, 'speaking', on);
  }

  /** Ends what it does by itself, and empties the stage. */
  close() {
    clearTimeout(this.#viewTimer);
    this.#viewTimer = null;
    this.#tiles.close();
  }

  setAudioOnly(on) {
    this.audioOnly = on;
    this.draw();
  }

  /** Everything that a person looks at, from what is known. */
  draw() {
    const list = [];
    for (const p of this.people.values()) {
      const common = { person: p.id, name: p.name, self: p.id === this.me, hand: p.hand, away: p.away };
      list.push({ ...common, key: `${p.id}:camera`, source: 'camera', muted: p.muted.includes('microphone') });
      if (p.sources.includes('screen')) list.push({ ...common, key: `${p.id}:screen`, source: 'screen', muted: false });
    }
    // Screens first, oneself last: what one came to see is where one looks.
    list.sort((a, b) => (b.source === 'screen') - (a.source === 'screen') || a.self - b.self || a.person - b.person);
    this.#tiles.show(list);
    this.#pictures();
    for (const id of this.#speaking) this.#tiles.mark(id, 'speaking', true);
    if (this.#floor !== null) this.#tiles.mark(this.#floor, 'floor', true);
    this.#people();
  }

  #pictures() {
    const shown = new Set();
    for (const [mid, slot] of this.#call.slots) {
      const now = this.slots.get(mid);
      // While the first picture of somebody is awaited, the one there is still another person's.
      if (slot.kind !== 'video' || now?.person === undefined || now.empty) continue;
      const key = `${now.person}:${now.source}`;
      shown.add(key);
      this.#tiles.picture(key, slot.element);
    }
    const own = [['camera', this.#self, this.#devices.camera], ['screen', this.#selfScreen, this.#devices.screen]];
    for (const [source, video, track] of own) {
      const key = `${this.me}:${source}`;
      shown.add(key);
      if (track && video.srcObject?.getVideoTracks()[0] !== track) video.srcObject = new MediaStream([track]);
      this.#tiles.picture(key, track ? video : null);
    }
    for (const p of this.people.values()) {
      for (const source of ['camera', 'screen']) {
        if (!shown.has(`${p.id}:${source}`)) this.#tiles.picture(`${p.id}:${source}`, null, this.#why(p, source));
      }
    }
  }

  /** Why there is no picture of somebody, if that is worth a word. */
  #why(person, source) {
    if (person.away) return t('away');
    if (this.audioOnly) return t('sound-only');
    if (person.muted.includes(source) || !person.sources.includes(source)) return '';
    const slots = [...this.slots.values()];
    const slot = slots.find((s) => s.person === person.id && s.source === source);
    // While a slot is empty for want of a codec, whoever is in none is the reason.
    const empty = slot ? slot.empty : slots.find((s) => s.person === undefined && s.empty === 'no-codec')?.empty;
    return ['no-codec', 'no-rate', 'waiting'].includes(empty) ? t(empty) : '';
  }

  #people() {
    const list = document.getElementById('people');
    list.replaceChildren(
      ...[...this.people.values()].map((p) => {
        const li = document.createElement('li');
        const states = [
          ...[p.id === this.me && t('you'), p.role !== 'member' && t(p.role), p.muted.includes('microphone') && t('muted')],
          ...[p.hand && t('hand-raised'), p.away && t('away')],
        ];
        const words = states.filter(Boolean).join(', ');
        const name = document.createElement('span');
        name.textContent = words ? `${p.name} (${words})` : p.name;
        li.append(name, ...this.#moderation.buttons(p, p.id === this.me));
        return li;
      }),
    );
    document.getElementById('people-count').textContent = `(${this.people.size})`;
  }

  #sizesChanged() {
    if (!this.#viewTimer) this.#viewTimer = setTimeout(() => this.#sendViews(), VIEW_DELAY);
  }

  /** Tells the server how large each slot is shown, where that changed. */
  #sendViews() {
    this.#viewTimer = null;
    const changed = {};
    for (const [mid, { kind }] of this.#call.slots) {
      if (kind !== 'video') continue;
      const now = this.slots.get(mid);
      const height = this.audioOnly ? 0 : (now?.person !== undefined && this.#tiles.height(`${now.person}:${now.source}`)) || 180;
      const clamped = Math.min(height, 4320);
      if (this.#views.get(mid) === clamped) continue;
      this.#views.set(mid, clamped);
      changed[mid] = { want: 'auto', height: clamped };
    }
    if (Object.keys(changed).length) this.#send('view', { slots: changed });
  }

  /** The sentence for an error of the server. */
  static sentence({ code, text }) {
    return has(`e-${code}`) ? t(`e-${code}`) : t('e-other', { text: text ?? code });
  }
}
