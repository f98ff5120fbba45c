// The stage: one tile for each person, one for each shared screen; the largest equal 16:9 rectangles that fit.

import { t } from './words.js';

const RATIO = 16 / 9;
const GAP = 8;

/** Columns and tile width that fill `width` × `height` best with `n` tiles. */
export function fit(n, width, height) {
  let best = { columns: 1, tile: 0 };
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns);
    const tile = Math.min((width - GAP * (columns - 1)) / columns, ((height - GAP * (rows - 1)) / rows) * RATIO);
    if (tile > best.tile) best = { columns, tile };
  }
  return best;
}

/** A colour that stays with a name. */
function colour(name) {
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  return `hsl(${hash % 360} 35% 38%)`;
}

const initials = (name) =>
  name.split(/\s+/).filter(Boolean).slice(0, 2).map((w) => [...w][0].toLocaleUpperCase()).join('');

export class Tiles {
  #stage;
  #tiles = new Map();
  #onSize;
  #observer;

  /** `onSize()` is called when tiles may have another size. */
  constructor(stage, onSize) {
    this.#stage = stage;
    this.#onSize = onSize;
    this.#observer = new ResizeObserver(() => this.layout());
    this.#observer.observe(stage);
  }

  /** Shows these tiles, in order: `{ key, person, name, source, self, muted, hand, away }`. Those that stay keep their place. */
  show(list) {
    const wanted = new Set(list.map((x) => x.key));
    for (const [key, tile] of this.#tiles) {
      if (!wanted.has(key)) {
        tile.root.remove();
        this.#tiles.delete(key);
      }
    }
    for (const [at, x] of list.entries()) {
      const tile = this.#tiles.get(x.key) ?? this.#make(x);
      // Not by moving elements: a video that is moved stops.
      tile.root.style.order = at;
      tile.root.classList.toggle('muted', x.muted);
      tile.root.classList.toggle('hand', x.hand);
      tile.root.classList.toggle('away', Boolean(x.away));
      tile.name.textContent = x.source === 'screen' ? t('on-screen', { name: x.name }) : x.self ? `${x.name} (${t('you')})` : x.name;
      tile.face.textContent = initials(x.name);
      tile.face.style.background = colour(x.name);
      const state = [x.muted && t('muted'), x.hand && t('hand-raised'), x.away && t('away')].filter(Boolean).join(', ');
      tile.root.setAttribute('aria-label', state ? `${tile.name.textContent}: ${state}` : tile.name.textContent);
    }
    this.layout();
  }

  #make({ key, self, source }) {
    const root = document.createElement('article');
    root.className = 'tile';
    root.dataset.key = key;
    if (self && source === 'camera') root.classList.add('mirror');
    const face = document.createElement('div');
    face.className = 'face';
    const name = document.createElement('p');
    name.className = 'name';
    const note = document.createElement('p');
    note.className = 'note';
    root.append(face, note, name);
    this.#stage.append(root);
    const tile = { root, face, name, note };
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

  /** Device pixels of a tile's height; 0 where it is not shown. */
  height(key) {
    const tile = this.#tiles.get(key);
    return tile ? Math.round(tile.root.clientHeight * devicePixelRatio) : 0;
  }

  close() {
    this.#observer.disconnect();
    this.#stage.replaceChildren();
    this.#tiles.clear();
  }

  layout() {
    const { clientWidth: width, clientHeight: height } = this.#stage;
    const shares = [...this.#tiles.keys()].filter((k) => k.endsWith(':screen'));
    this.#stage.classList.toggle('sharing', shares.length > 0);
    const n = this.#tiles.size - shares.length;
    const room = shares.length ? { width: width * 0.25, height } : { width, height };
    const { columns, tile } = fit(Math.max(1, n), room.width, room.height);
    this.#stage.style.setProperty('--columns', columns);
    this.#stage.style.setProperty('--tile', `${Math.floor(tile)}px`);
    const share = fit(Math.max(1, shares.length), width * 0.74, height);
    this.#stage.style.setProperty('--share', `${Math.floor(share.tile)}px`);
    this.#onSize();
  }
}
