// The page: preview, join, controls, leave.

import { Call } from './call.js';
import { Devices } from './devices.js';
import { Room } from './room.js';
import { RoomSocket } from './socket.js';
import { t, translate } from './words.js';

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const roomName = decodeURIComponent(location.pathname.split('/').pop());
const glyphs = { mic: '🎤', camera: '📷', screen: '🖥', hand: '✋', ear: '👂', chat: '💬', link: '🔗', leave: '📞' };

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
const state = { audio: query.get('audio') !== '0', video: query.get('video') !== '0', hand: false, audioOnly: false, unread: 0, cameraBefore: false };
let socket = null;
let call = null;
let room = null;
let media = [];
let token; // proves to the server that one comes back
let joining = null; // resolves or rejects the join that is under way
let answered = null; // the same for a negotiation
let returning = false;
let screen = null; // the stream that is shared
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
  const granted = devices.open({ audio: state.audio, video: state.video }).then(useDevices);
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
    await call.replace(kind, devices[kind]);
    if (room) told(kind, false);
  }
  room?.draw();
  if (room) buttons();
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
  const on = kind === 'microphone' ? state.audio : state.video;
  if (on) await call.replace(kind, track);
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

function muted() {
  return [!(state.audio && devices.microphone) && 'microphone', !(state.video && devices.camera) && 'camera'].filter(Boolean);
}

/** Says *join*, and waits for the welcome. */
async function join() {
  if (!socket?.alive) openSocket();
  const welcomed = new Promise((resolve, reject) => (joining = { resolve, reject }));
  const description = await call.prepare(devices);
  socket.send('join', { name: window.salon.name, ...description, muted: muted(), replaces: token });
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
  on('chat', chatCame);
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
  room.welcome(message, { name: window.salon.name, sources: ['microphone', 'camera'], muted: muted(), hand: false });
  room.setAudioOnly(state.audioOnly);
  $('side').append($('devices'));
  buttons();
  window.salon.joined = true;
  if (state.hand) socket.send('hand', { raised: true });
  await done;
  // What changed while the offer was under way, and what had been refused without a click.
  for (const [kind, on] of [['microphone', state.audio], ['camera', state.video]]) await call.replace(kind, on ? devices[kind] : null);
  call.play();
  if (screen) share(screen);
}

function leave(why = '') {
  clearTimeout(reachTimer);
  clearTimeout(restartTimer);
  socket?.send('leave');
  socket?.close();
  call?.close();
  devices.close();
  stopScreen();
  room?.close();
  room = null;
  window.salon.joined = false;
  $('left-why').textContent = why;
  show('left');
}

// --- controls ------------------------------------------------------------------------------------------------------

function press(id, on) {
  $(id).setAttribute('aria-pressed', String(on));
}

function buttons() {
  for (const b of document.querySelectorAll('#controls button')) b.dataset.glyph = glyphs[b.dataset.icon];
  for (const id of ['b-mic', 'b-camera']) $(id).classList.add('live');
  for (const id of ['b-screen', 'b-hand', 'b-audio-only', 'b-side']) $(id).classList.add('toggle');
  press('b-mic', state.audio && Boolean(devices.microphone));
  press('b-camera', state.video && Boolean(devices.camera));
  press('b-screen', Boolean(devices.screen));
  press('b-hand', state.hand);
  press('b-audio-only', state.audioOnly);
  press('b-side', !$('side').hidden);
  $('b-screen').hidden = !navigator.mediaDevices?.getDisplayMedia;
}

const told = (source, is) => socket.send('mute', { source, muted: is });

async function toggleMicrophone() {
  if (!devices.microphone) {
    const track = await devices.choose('microphone', '');
    if (!track) return;
    await call.replace('microphone', track);
    state.audio = false;
  }
  state.audio = !state.audio;
  devices.microphone.enabled = state.audio;
  // Nothing at all leaves a muted microphone: a disabled track would still send silence.
  await call.replace('microphone', state.audio ? devices.microphone : null);
  told('microphone', !state.audio);
  buttons();
}

const toggleCamera = () => setCamera(!state.video || !devices.camera);

async function setCamera(on) {
  if (on) {
    const track = devices.camera ?? (await devices.choose('camera', ''));
    if (!track) return;
    await call.replace('camera', track);
  } else {
    await call.replace('camera', null);
    devices.closeCamera();
  }
  state.video = on;
  told('camera', !on);
  room?.draw();
  buttons();
}

function negotiate(description) {
  return new Promise((resolve, reject) => {
    answered = { resolve, reject };
    socket.send('offer', description);
  }).finally(() => (answered = null));
}

function stopScreen() {
  for (const track of screen?.getTracks() ?? []) {
    track.onended = null;
    track.stop();
  }
  screen = devices.screen = null;
}

/** Begins to share a stream, or ends it (`null`). */
async function share(stream) {
  await call.share(stream, negotiate).catch(() => stopScreen());
  room?.draw();
  buttons();
}

async function toggleScreen() {
  if (screen) {
    stopScreen();
    return share(null);
  }
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: true }).catch(() => null);
  if (!stream) return;
  stopScreen();
  screen = stream;
  devices.screen = stream.getVideoTracks()[0];
  devices.screen.contentHint = 'detail';
  devices.screen.onended = () => screen === stream && toggleScreen();
  return share(stream);
}

async function toggleAudioOnly() {
  state.audioOnly = !state.audioOnly;
  if (state.audioOnly) {
    state.cameraBefore = state.video && Boolean(devices.camera);
    if (screen) await toggleScreen();
    if (state.video) await setCamera(false);
  } else if (state.cameraBefore) {
    await setCamera(true);
  }
  room?.setAudioOnly(state.audioOnly);
  buttons();
}

function toggleHand() {
  state.hand = !state.hand;
  socket.send('hand', { raised: state.hand });
  buttons();
}

function toggleSide() {
  $('side').hidden = !$('side').hidden;
  state.unread = 0;
  $('unread').hidden = true;
  buttons();
}

function chatCame({ from, text, at }) {
  const li = document.createElement('li');
  const who = document.createElement('b');
  who.textContent = room?.name(from) ?? '?';
  li.title = new Date(at).toLocaleTimeString();
  li.append(who, text);
  $('chat-log').append(li);
  li.scrollIntoView({ block: 'nearest' });
  if ($('side').hidden) {
    $('unread').textContent = ++state.unread;
    $('unread').hidden = false;
  }
}

function keys(event) {
  if (!room || event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const actions = { m: toggleMicrophone, c: toggleCamera, s: toggleScreen, h: toggleHand, a: toggleAudioOnly };
  actions[event.key.toLowerCase()]?.();
}

translate();
$('join-form').onsubmit = (event) => {
  event.preventDefault();
  enter();
};
$('b-mic').onclick = toggleMicrophone;
$('b-camera').onclick = toggleCamera;
$('b-screen').onclick = toggleScreen;
$('b-hand').onclick = toggleHand;
$('b-audio-only').onclick = toggleAudioOnly;
$('b-side').onclick = toggleSide;
$('b-leave').onclick = () => leave();
$('b-link').onclick = async () => {
  const link = location.origin + location.pathname;
  const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
  say('note', copied ? t('link-copied') : link);
  setTimeout(() => say('note'), copied ? 2_000 : 10_000);
};
$('rejoin').onclick = () => location.reload();
$('unblock').onclick = () => {
  $('unblock').hidden = true;
  call?.play();
};
$('chat-form').onsubmit = (event) => {
  event.preventDefault();
  const text = $('chat-text').value.trim();
  if (text) socket.send('chat', { text });
  $('chat-text').value = '';
};
addEventListener('keydown', keys);
devices.addEventListener('lost', async ({ detail: kind }) => {
  // Unplugged: another one takes over, if there is one; else others see that it is off.
  const on = kind === 'microphone' ? state.audio : state.video;
  const track = on ? await devices.choose(kind, '') : null;
  await call?.replace(kind, track);
  if (room) told(kind, !track);
  room?.draw();
  if (room) buttons();
  listDevices();
});
navigator.mediaDevices?.addEventListener?.('devicechange', listDevices);
addEventListener('pagehide', () => socket?.send('leave'));
// A page that comes back out of the browser's memory has lost its connection.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
// Not before the page has loaded: slots that wait for their first packet would hold its load event back.
if (document.readyState === 'complete') preview();
else addEventListener('load', preview, { once: true });
