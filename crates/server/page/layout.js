// Where everything on the stage stands: reckoning alone, without a document.

export const GAP = 8;
const RATIO = 16 / 9;
/** What is put out of sight leaves a chip of this size. */
const CHIP = 44;

/** Columns and tile width that fill `width` × `height` best with `n` tiles of 16:9. */
export function fit(n, width, height) {
  let best = { columns: 1, tile: 0 };
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns);
    const tile = Math.min((width - GAP * (columns - 1)) / columns, ((height - GAP * (rows - 1)) / rows) * RATIO);
    if (tile > best.tile) best = { columns, tile };
  }
  return best;
}

/** The largest equal 16:9 rectangles in a box, in rows, each row centred; all of them in the middle, or at the top. */
function rows(keys, box, into, atTop = false) {
  const { columns, tile } = fit(Math.max(1, keys.length), box.width, box.height);
  const [width, height] = [Math.floor(tile), Math.floor(tile / RATIO)];
  const lines = Math.ceil(keys.length / columns);
  const top = box.y + (atTop ? 0 : (box.height - lines * height - (lines - 1) * GAP) / 2);
  for (const [i, key] of keys.entries()) {
    const line = Math.floor(i / columns);
    const inLine = Math.min(columns, keys.length - line * columns);
    const left = box.x + (box.width - inLine * width - (inLine - 1) * GAP) / 2;
    into.set(key, { x: Math.round(left + (i % columns) * (width + GAP)), y: Math.round(top + line * (height + GAP)), width, height });
  }
}

/** Shares take all the room that there is: their shape is not ours to say. */
function whole(keys, { x, y, width, height }, into) {
  const upright = height > width;
  const [w, h] = upright ? [width, (height - GAP * (keys.length - 1)) / keys.length] : [(width - GAP * (keys.length - 1)) / keys.length, height];
  for (const [i, key] of keys.entries()) {
    into.set(key, { x: Math.round(x + (upright ? 0 : i * (w + GAP))), y: Math.round(y + (upright ? i * (h + GAP) : 0)), width: Math.floor(w), height: Math.floor(h) });
  }
}

/**
 * `key` → `{ x, y, width, height, floats }` on a stage of `width` × `height`.
 *
 * `large`: what takes the stage; empty: everybody is equal. `shares`: whether those are screens. `others`: whoever stands beside. `self`: one's own
 * tile, or null; `tucked`: it is out of sight but for a chip. One's own picture floats in a corner where there is one other person only.
 */
export function arrange(width, height, { large = [], shares = false, others = [], self = null, tucked = false }) {
  const into = new Map();
  const people = others.length + (shares ? 0 : large.length);
  const floats = self && (tucked || (people === 1 && !shares));
  const beside = self && !floats ? [...others, self] : others;
  const stage = { x: 0, y: 0, width, height };
  const put = shares ? whole : rows;
  if (!large.length) rows(beside, stage, into);
  else if (!beside.length) put(large, stage, into);
  else if (height > width * 0.85) {
    // Upright: the stage above, people below it.
    const share = Math.min(width / RATIO, height * 0.62);
    put(large, { ...stage, height: Math.round(share) }, into);
    rows(beside, { ...stage, y: Math.round(share) + GAP, height: height - Math.round(share) - GAP }, into, true);
  } else {
    const strip = Math.round(Math.min(Math.max(width * (beside.length > 8 ? 0.26 : 0.19), 112), 340));
    put(large, { ...stage, width: width - strip - GAP }, into);
    rows(beside, { ...stage, x: width - strip, width: strip }, into);
  }
  if (floats) into.set(self, { ...corner(width, height, tucked), floats: true });
  return into;
}

function corner(width, height, tucked) {
  const w = tucked ? CHIP : Math.round(Math.min(Math.max(width * 0.18, 104), 240));
  const h = tucked ? CHIP : Math.round(w / RATIO);
  return { x: width - w - GAP, y: height - h - GAP, width: w, height: h };
}
