// Who is here, what is in each slot, and what that looks like.

import { People } from './people.js';
import { Tiles } from './tiles.js';
import { Views } from './views.js';
import { has, t } from './words.js';

const VIEW_DELAY = 150;

export class Room {
  me = null;
  people = new Map();
  /** `mid` → `{ person, source }` or `{ empty }`. */
  slots = new Map();
  audioOnly = false;
  #call;
  #devices;
  #send;
  #tiles;
  #views = new Views();
  #viewTimer = null;
  #floor = null;
  #lastSpeaker = undefined;
  #speakerView = false;
  #tucked = false;
  #hidden = false;
  /** The key of the tile that was picked to be large. */
  #pinned = null;
  /** The keys of what is large now. */
  #main = [];
  /** Whose hands are up, the first one first. */
  #hands = [];
  #list;
  #onTuck;
  #announcer;
  #speaking = new Set();
  #names = new Map();
  #self = document.createElement('video');
  #selfScreen = document.createElement('video');

  /** `onTuck()`: one's own tile was picked. */
  constructor({ call, devices, send, stage, moderation, announcer, onTuck }) {
    this.#call = call;
    document.getElementById('people').replaceChildren();
    this.#list = new People(moderation);
    this.#announcer = announcer;
    this.#onTuck = onTuck;
    this.#devices = devices;
    this.#send = send;
    for (const video of [this.#self, this.#selfScreen]) {
      video.muted = true;
      video.playsInline = true;
      video.autoplay = true;
    }
    this.#tiles = new Tiles(stage, { onSize: () => this.#sizesChanged(), onPick: (key) => this.#picked(key) });
  }

  welcome({ id, people }, self) {
    this.me = id;
    this.people = new Map([...people, { ...self, id }].map((p) => [p.id, p]));
    for (const p of this.people.values()) this.#known(p);
    this.draw();
  }

  /** What is remembered of somebody: the name, and since when the hand is up. */
  #known({ id, name, hand }) {
    this.#names.set(id, name);
    if (!hand) this.#hands = this.#hands.filter((x) => x !== id);
    else if (!this.#hands.includes(id)) this.#hands.push(id);
  }

  /** Another connection has taken over: all that was told meanwhile. */
  resume({ people, slots, floor, speaking }) {
    const self = this.people.get(this.me);
    this.people = new Map([...people, self].map((p) => [p.id, p]));
    this.#hands = this.#hands.filter((id) => this.people.has(id));
    for (const p of people) this.#known(p);
    this.slots = new Map(Object.entries(slots));
    for (const id of [...this.#speaking]) this.setSpeaking(id, false);
    for (const id of speaking) this.setSpeaking(id, true);
    this.setFloor(floor);
    // What was asked last may not have arrived.
    this.#views.forget();
    this.#sizesChanged();
    this.draw();
  }

  /** The name of somebody who is or was here. */
  name(id) {
    return this.#names.get(id) ?? '?';
  }

  put(person) {
    const before = this.people.get(person.id);
    if (person.id !== this.me) {
      if (!before) this.#announcer.say('says-joined', person.name);
      if (person.hand && !before?.hand) this.#announcer.say('says-hand', person.name);
    }
    this.#known(person);
    this.people.set(person.id, person);
    this.draw();
  }

  drop(id) {
    if (this.people.has(id)) this.#announcer.say('says-left', this.name(id));
    this.people.delete(id);
    this.#hands = this.#hands.filter((x) => x !== id);
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
    if (this.#speakerView) this.draw();
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

  /** Whether only who speaks is large. */
  setSpeakerView(on) {
    this.#speakerView = on;
    this.draw();
  }

  /** Whether one's own picture is out of sight. */
  setTucked(on) {
    this.#tucked = on;
    this.draw();
  }

  /** Whether the page itself is out of sight: then no pictures come, only sound. */
  setHidden(on) {
    this.#hidden = on;
    clearTimeout(this.#viewTimer);
    this.#sendViews();
  }

  /** Everything that a person looks at, from what is known. */
  draw() {
    const list = [];
    for (const p of this.people.values()) {
      const hand = p.hand ? this.#hands.indexOf(p.id) + 1 : 0;
      const common = { person: p.id, name: p.name, self: p.id === this.me, hand, away: p.away };
      list.push({ ...common, key: `${p.id}:camera`, source: 'camera', muted: p.muted.includes('microphone') });
      if (p.sources.includes('screen')) list.push({ ...common, hand: 0, key: `${p.id}:screen`, source: 'screen', muted: false });
    }
    if (!list.some(({ key }) => key === this.#pinned)) this.#pinned = null;
    for (const x of list) x.pinned = x.key === this.#pinned;
    list.sort((a, b) => a.person - b.person);
    const plan = this.#plan(list);
    this.#main = plan.large;
    this.#tiles.show(list, plan);
    this.#pictures();
    for (const id of this.#speaking) this.#tiles.mark(id, 'speaking', true);
    if (this.#floor !== null) this.#tiles.mark(this.#floor, 'floor', true);
    const rank = (p) => (p.hand ? this.#hands.indexOf(p.id) : Infinity);
    const inOrder = [...this.people.values()].sort((a, b) => (rank(a) === rank(b) ? a.id - b.id : rank(a) - rank(b)));
    this.#list.show(inOrder.map((p) => ({ ...p, hand: p.hand ? rank(p) + 1 : 0 })), this.me);
    document.getElementById('alone').hidden = this.people.size > 1;
  }

  /** Who takes the stage: what was picked, else shared screens, else who speaks, where that is wanted. */
  #plan(list) {
    const self = list.find((x) => x.self && x.source === 'camera')?.key ?? null;
    const screens = list.filter((x) => x.source === 'screen').map((x) => x.key);
    let large = screens;
    if (this.#pinned) large = [this.#pinned];
    else if (!screens.length && this.#speakerView) large = [this.#speaker()].filter(Boolean);
    const others = list.filter((x) => x.key !== self && !large.includes(x.key)).map((x) => x.key);
    return { large, others, self, shares: large.some((key) => key.endsWith(':screen')), tucked: this.#tucked };
  }

  /** Whom the speaker view shows: who has the floor, or had it last; never oneself. */
  #speaker() {
    if (this.#floor !== null && this.#floor !== this.me) this.#lastSpeaker = this.#floor;
    if (!this.people.has(this.#lastSpeaker)) this.#lastSpeaker = [...this.people.keys()].find((id) => id !== this.me);
    return this.#lastSpeaker === undefined ? null : `${this.#lastSpeaker}:camera`;
  }

  #picked(key) {
    if (key === `${this.me}:camera`) return this.#onTuck();
    this.#pinned = this.#pinned === key ? null : key;
    this.draw();
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

  #sizesChanged() {
    if (!this.#viewTimer) this.#viewTimer = setTimeout(() => this.#sendViews(), VIEW_DELAY);
  }

  /** Tells the server what is looked at, and how large, where that changed. */
  #sendViews() {
    this.#viewTimer = null;
    const none = this.audioOnly || this.#hidden;
    // What takes the stage is wanted whoever speaks, if there is a picture to be had.
    const wanted = this.#main.filter((key) => {
      const [id, source] = key.split(':');
      const person = this.people.get(Number(id));
      return Number(id) !== this.me && (key === this.#pinned || source === 'screen') && person?.sources.includes(source) && !person.muted.includes(source);
    });
    const mids = [...this.#call.slots].filter(([, { kind }]) => kind === 'video').map(([mid]) => mid);
    const changed = this.#views.changes({ mids, shown: this.slots, wanted, height: (key) => (none ? 0 : (key && this.#tiles.height(key)) || 180) });
    if (Object.keys(changed).length) this.#send('view', { slots: changed });
  }

  /** The sentence for an error of the server. */
  static sentence({ code, text }) {
    return has(`e-${code}`) ? t(`e-${code}`) : t('e-other', { text: text ?? code });
  }
}
