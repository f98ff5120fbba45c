// The stage: one tile for each person, one for each shared screen.

import { arrange } from './layout.js';
import { t } from './words.js';

/** A colour that stays with a name; white is readable on all of them. */
function colour(name) {
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  return `hsl(${hash % 360} 38% 29%)`;
}

const initials = (name) =>
  name.split(/\s+/).filter(Boolean).slice(0, 2).map((w) => [...w][0].toLocaleUpperCase()).join('');

const element = (tag, cls) => Object.assign(document.createElement(tag), { className: cls });

export class Tiles {
  #stage;
  #tiles = new Map();
  #onSize;
  #onPick;
  #observer;
  #plan = {};

  /** `onSize()` is called when tiles may have another size; `onPick(key)` when one was chosen. */
  constructor(stage, { onSize, onPick }) {
    this.#stage = stage;
    this.#onSize = onSize;
    this.#onPick = onPick;
    this.#observer = new ResizeObserver(() => {
      // A window that is drawn larger takes its tiles along at once.
      stage.classList.add('still');
      this.#layout();
      requestAnimationFrame(() => requestAnimationFrame(() => stage.classList.remove('still')));
    });
    this.#observer.observe(stage);
  }

  /**
   * Shows these tiles: `{ key, name, source, self, muted, hand, away, pinned }`, those that stay keep their element; where they stand, `plan` says, as
   * `arrange` takes it.
   */
  show(list, plan) {
    const wanted = new Set(list.map((x) => x.key));
    for (const [key, tile] of this.#tiles) {
      if (!wanted.has(key)) {
        tile.root.remove();
        this.#tiles.delete(key);
      }
    }
    for (const x of list) {
      const tile = this.#tiles.get(x.key) ?? this.#make(x);
      for (const state of ['muted', 'away', 'pinned']) tile.root.classList.toggle(state, Boolean(x[state]));
      tile.root.classList.toggle('hand', Boolean(x.hand));
      tile.root.classList.toggle('tucked', Boolean(x.self && plan.tucked && x.source === 'camera'));
      tile.name.textContent = x.source === 'screen' ? t('on-screen', { name: x.name }) : x.self ? `${x.name} (${t('you')})` : x.name;
      tile.face.textContent = initials(x.name);
      tile.face.style.background = colour(x.name);
      tile.hand.textContent = x.hand || '';
      const state = [x.muted && t('muted'), x.hand && t('hand-raised'), x.away && t('away')].filter(Boolean).join(', ');
      tile.root.setAttribute('aria-label', state ? `${tile.name.textContent}: ${state}` : tile.name.textContent);
      const own = x.self && x.source === 'camera';
      const verb = own ? t(plan.tucked ? 'show-myself' : 'hide-myself') : t(x.pinned ? 'make-small' : 'make-large', { name: tile.name.textContent });
      tile.pick.title = verb;
      tile.pick.setAttribute('aria-label', verb);
      if (!own) tile.pick.setAttribute('aria-pressed', String(Boolean(x.pinned)));
    }
    this.#plan = plan;
    this.#layout();
  }

  #make({ key, self, source }) {
    const root = element('article', 'tile');
    root.dataset.key = key;
    if (self && source === 'camera') root.classList.add('mirror');
    const tile = { root, face: element('div', 'face'), note: element('p', 'note'), name: element('p', 'name'), hand: element('span', 'raised') };
    tile.pick = element('button', 'pick');
    tile.pick.type = 'button';
    tile.pick.onclick = () => this.#onPick(key);
    tile.face.setAttribute('aria-hidden', 'true');
    root.append(tile.face, tile.note, tile.name, tile.hand, tile.pick);
    this.#stage.append(root);
    this.#tiles.set(key, tile);
    return tile;
  }

  /** Puts a video into a tile, or takes it away (`null`); `note` says why there is none. */
  picture(key, video, note = '') {
    const tile = this.#tiles.get(key);
    if (!tile) return;
    const there = tile.root.querySelector('video');
    if (there !== video) {
      there?.remove();
      if (video) {
        tile.root.prepend(video);
        video.play().catch(() => {});
      }
    }
    tile.root.classList.toggle('seen', Boolean(video));
    tile.note.textContent = note;
  }

  mark(person, cls, on) {
    for (const { root } of this.#tiles.values()) {
      if (root.dataset.key.startsWith(`${person}:`)) root.classList.toggle(cls, on);
    }
  }

  /** Device pixels of a tile's height, as it will be when it has stopped moving; 0 where there is no such tile. */
  height(key) {
    return Math.round((this.#tiles.get(key)?.place?.height ?? 0) * devicePixelRatio);
  }

  close() {
    this.#observer.disconnect();
    this.#stage.replaceChildren();
    this.#tiles.clear();
  }

  #layout() {
    const { clientWidth: width, clientHeight: height } = this.#stage;
    const places = arrange(width, height, this.#plan);
    for (const [key, tile] of this.#tiles) {
      const place = places.get(key);
      tile.place = place;
      tile.root.hidden = !place;
      if (!place) continue;
      tile.root.classList.toggle('floats', Boolean(place.floats));
      Object.assign(tile.root.style, { transform: `translate(${place.x}px, ${place.y}px)`, width: `${place.width}px`, height: `${place.height}px` });
    }
    this.#onSize();
  }
}
