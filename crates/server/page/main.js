// The page: preview, join, coming back, leave.

import { Call } from './call.js';
import { Chat } from './chat.js';
import { Controls } from './controls.js';
import { Devices } from './devices.js';
import { Room } from './room.js';
import { RoomSocket } from './socket.js';
import { t, translate } from './words.js';

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const roomName = decodeURIComponent(location.pathname.split('/').pop());

/** After this long without a path the page says so. */
const UNREACHABLE = 6_000;
/** A path that is lost for so long is looked for anew; then every so often. */
const RESTART_AFTER = 2_000;
const RESTART_EVERY = 6_000;
/** Waits between attempts to come back: the first, and the longest. */
const BACK_FIRST = 300;
const BACK_LONGEST = 8_000;
/** Refusals that another attempt would only meet again. */
const FINAL = new Set(['replaced', 'room-full', 'too-many-rooms', 'bad-name', 'bad-sdp', 'bad-source', 'not-text', 'too-large']);

const devices = new Devices(query);
let socket = null;
let call = null;
let room = null;
let media = [];
let token; // proves to the server that one comes back
let joining = null; // resolves or rejects the join that is under way
let answered = null; // the same for a negotiation
let returning = false;
let reachTimer = null;
let restartTimer = null;

// What tests and the curious may look at; nothing here changes anything.
window.salon = {
  get pc() { return call?.pc; },
  get slots() { return Object.fromEntries(room?.slots ?? []); },
  get people() { return [...(room?.people.values() ?? [])]; },
  get me() { return room?.me; },
  get banner() { return $('banner').hidden ? null : $('banner').textContent; },
  audioElements: () => [...(call?.slots ?? [])].filter(([, s]) => s.kind === 'audio').map(([mid, s]) => ({ mid, element: s.element })),
  videoElements: () => [...(call?.slots.values() ?? [])].filter((s) => s.kind === 'video').map((s) => s.element),
  marks: {},
  joined: false,
};
const mark = (name) => (window.salon.marks[name] ??= performance.now());
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function show(id) {
  for (const main of document.querySelectorAll('main')) main.hidden = main.id !== id;
}

const sayings = new Map();

/** Says something in the banner until it is taken back (`null`). What is worse comes first. */
function say(kind, text = null) {
  if (text) sayings.set(kind, text);
  else sayings.delete(kind);
  const first = ['path', 'connection', 'media', 'note'].map((k) => sayings.get(k)).find(Boolean);
  $('banner').textContent = first ?? '';
  $('banner').hidden = !first;
}

// --- preview -------------------------------------------------------------------------------------------------------

async function preview() {
  document.title = `${roomName} — Salon`;
  $('room-name').textContent = roomName;
  $('name').value = query.get('name') ?? localStorage.getItem('name') ?? '';
  $('preview-note').textContent = t(isSecureContext ? 'asking' : 'insecure');
  show('preview');
  openSocket();
  call = newCall();
  const granted = devices.open({ audio: controls.audio, video: controls.video }).then(useDevices);
  if (query.get('join') === '1' && $('name').value.trim()) {
    await granted;
    enter();
  } else {
    $('name').focus();
    meter();
  }
}

/** Microphone and camera have been granted or refused; the page may be in the room by then. */
async function useDevices(ok) {
  $('preview-note').textContent = isSecureContext ? (ok ? '' : t('no-permission')) : t('insecure');
  showPreview();
  await call.prepare(devices);
  for (const kind of ['microphone', 'camera']) {
    if (!devices[kind]) continue;
    await call.replace(kind, controls.track(kind));
    if (room) controls.tell(kind);
  }
  room?.draw();
  controls.draw();
  await listDevices();
  window.salon.ready = true;
}

function showPreview() {
  $('self-preview').srcObject = devices.camera ? new MediaStream([devices.camera]) : null;
  if (devices.camera) $('self-preview').play().catch(() => {});
  $('preview-off').hidden = Boolean(devices.camera);
}

async function listDevices() {
  for (const [kind, select] of [['microphone', $('mic-choice')], ['camera', $('camera-choice')]]) {
    const list = await devices.list(kind);
    const current = devices[kind]?.getSettings().deviceId;
    select.replaceChildren(...(list.length ? list : [['', t('no-device')]]).map(([id, label]) => new Option(label || t('default'), id, false, id === current)));
    select.disabled = !list.length;
    select.onchange = () => chooseDevice(kind, select.value);
  }
}

async function chooseDevice(kind, id) {
  const track = await devices.choose(kind, id);
  if (!track) return listDevices();
  if (controls.track(kind)) await call.replace(kind, track);
  else if (kind === 'camera') devices.closeCamera();
  showPreview();
  room?.draw();
}

function meter() {
  if ($('preview').hidden) return devices.closeMeter();
  $('mic-level').value = devices.level();
  setTimeout(meter, 100);
}

// --- room ----------------------------------------------------------------------------------------------------------

function newCall() {
  const c = new Call();
  c.addEventListener('silent', () => ($('unblock').hidden = false));
  c.addEventListener('state', ({ detail }) => c === call && pathIs(detail));
  return c;
}

function pathIs(now) {
  clearTimeout(restartTimer);
  if (now === 'connected') {
    mark('connected');
    clearTimeout(reachTimer);
    say('path');
  } else if (now === 'disconnected' || now === 'failed') {
    if (now === 'failed') unreachable();
    else say('path', t('reconnecting'));
    restartTimer = setTimeout(restartPath, now === 'failed' ? 0 : RESTART_AFTER);
  }
}

function restartPath() {
  if (!room || returning || call.pc.connectionState === 'connected') return;
  call.restart(negotiate).catch(() => {});
  restartTimer = setTimeout(restartPath, RESTART_EVERY);
}

function unreachable() {
  const [, host, port] = /^(.*):(\d+)$/.exec(media[0] ?? '') ?? [null, location.hostname, '?'];
  say('path', t('unreachable', { host, port }));
}

/** Says *join*, and waits for the welcome. */
async function join() {
  if (!socket?.alive) openSocket();
  const welcomed = new Promise((resolve, reject) => (joining = { resolve, reject }));
  const description = await call.prepare(devices);
  socket.send('join', { name: window.salon.name, ...description, muted: controls.muted(), replaces: token });
  const message = await welcomed.finally(() => (joining = null));
  await welcome(message);
}

async function enter() {
  const name = $('name').value.trim();
  if (!name) return $('name').focus();
  if (joining) return;
  mark('click');
  localStorage.setItem('name', name);
  window.salon.name = name;
  // In the click itself: later the browser might refuse sound.
  call.play();
  try {
    await join();
  } catch (error) {
    $('preview-note').textContent = Room.sentence(error);
  }
}

function openSocket() {
  const mine = new RoomSocket(roomName);
  socket = mine;
  const on = (type, handle) => mine.addEventListener(type, ({ detail }) => mine === socket && handle(detail));
  on('welcome', (message) => joining?.resolve(message));
  on('answer', ({ sdp }) => answered?.resolve(sdp));
  on('joined', ({ person }) => room?.put(person));
  on('changed', ({ person }) => room?.put(person));
  on('left', ({ id }) => room?.drop(id));
  on('slots', ({ slots }) => {
    if (Object.values(slots).some((s) => s.person !== undefined)) mark('slots');
    room?.slotsChanged(slots);
  });
  on('floor', ({ person }) => room?.setFloor(person));
  on('speaking', ({ person, on: is }) => room?.setSpeaking(person, is));
  on('encodings', ({ encodings }) => call?.setEncodings(encodings));
  on('media', ({ state: s }) => say('media', s === 'silent' ? t('media-silent') : null));
  on('chat', ({ from, text, at }) => chat.came(room?.name(from) ?? '?', text, at));
  on('error', (error) => {
    if (error.re === 'offer') answered?.reject(error);
    else if (error.re === 'join') joining?.reject(error);
    if (error.fatal && FINAL.has(error.code) && room) leave(Room.sentence(error));
  });
  on('close', (code) => {
    const error = { code: code ?? 'offline' };
    answered?.reject(error);
    joining?.reject(error);
    if (room) comeBack();
  });
}

/** The connection is gone, and not by our own will: joins again, until it works or makes no sense. */
async function comeBack() {
  if (returning) return;
  returning = true;
  say('connection', t('reconnecting'));
  for (let wait = BACK_FIRST; room; wait = Math.min(2 * wait, BACK_LONGEST)) {
    await pause(wait);
    if (!room) break;
    clearTimeout(reachTimer);
    call.close();
    call = newCall();
    try {
      await join();
      break;
    } catch (error) {
      if (FINAL.has(error.code)) leave(Room.sentence(error));
      else socket.close();
    }
  }
  returning = false;
  say('connection');
}

async function welcome(message) {
  mark('welcome');
  media = message.media ?? [];
  token = message.token;
  const mine = call;
  clearTimeout(reachTimer);
  reachTimer = setTimeout(() => mine === call && mine.pc.connectionState !== 'connected' && unreachable(), UNREACHABLE);
  const done = call.answer(message.sdp).then(() => mark('answered'));
  room?.close();
  room = new Room({ call, devices, send: (type, fields) => socket.send(type, fields), stage: $('stage') });
  show('room');
  room.welcome(message, { name: window.salon.name, sources: ['microphone', 'camera'], muted: controls.muted(), hand: controls.hand });
  room.setAudioOnly(controls.audioOnly);
  $('side').append($('devices'));
  controls.draw();
  window.salon.joined = true;
  if (controls.hand) socket.send('hand', { raised: true });
  await done;
  // What changed while the offer was under way, and what had been refused without a click.
  for (const kind of ['microphone', 'camera']) await call.replace(kind, controls.track(kind));
  call.play();
  if (controls.sharing) controls.share();
}

function leave(why = '') {
  clearTimeout(reachTimer);
  clearTimeout(restartTimer);
  socket?.send('leave');
  socket?.close();
  call?.close();
  devices.close();
  controls.stopScreen();
  room?.close();
  room = null;
  window.salon.joined = false;
  $('left-why').textContent = why;
  show('left');
}

function negotiate(description) {
  return new Promise((resolve, reject) => {
    answered = { resolve, reject };
    socket.send('offer', description);
  }).finally(() => (answered = null));
}

const controls = new Controls(
  {
    devices,
    get call() { return call; },
    get room() { return room; },
    ...{ say, negotiate, leave: () => leave(), send: (type, fields) => socket.send(type, fields), sideOpened: () => chat.read() },
  },
  { audio: query.get('audio') !== '0', video: query.get('video') !== '0' },
);
const chat = new Chat((text) => socket.send('chat', { text }));
translate();
$('join-form').onsubmit = (event) => {
  event.preventDefault();
  enter();
};
$('rejoin').onclick = () => location.reload();
$('unblock').onclick = () => {
  $('unblock').hidden = true;
  call?.play();
};
devices.addEventListener('lost', async ({ detail: kind }) => {
  // Unplugged: another one takes over, if there is one; else others see that it is off.
  if (kind === 'microphone' ? controls.audio : controls.video) await devices.choose(kind, '');
  await call?.replace(kind, controls.track(kind));
  if (room) controls.tell(kind);
  room?.draw();
  controls.draw();
  listDevices();
});
navigator.mediaDevices?.addEventListener?.('devicechange', listDevices);
addEventListener('pagehide', () => socket?.send('leave'));
// A page that comes back out of the browser's memory has lost its connection.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
// Not before the page has loaded: slots that wait for their first packet would hold its load event back.
if (document.readyState === 'complete') preview();
else addEventListener('load', preview, { once: true });
