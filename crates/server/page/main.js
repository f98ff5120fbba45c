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

const devices = new Devices(query);
const state = { audio: query.get('audio') !== '0', video: query.get('video') !== '0', hand: false, audioOnly: false, unread: 0 };
let socket = null;
let call = null;
let room = null;
let media = [];
let answered = null; // resolves the negotiation that waits for an answer
let reachTimer = null;

// What tests and the curious may look at; nothing here changes anything.
window.salon = {
  get pc() { return call?.pc; },
  get slots() { return Object.fromEntries(room?.slots ?? []); },
  get people() { return [...(room?.people.values() ?? [])]; },
  get me() { return room?.me; },
  get banner() { return $('banner').hidden ? null : $('banner').textContent; },
  audioElements: () => [...(call?.slots ?? [])].filter(([, s]) => s.kind === 'audio').map(([mid, s]) => ({ mid, element: s.element })),
  marks: {},
  joined: false,
};
const mark = (name) => (window.salon.marks[name] ??= performance.now());

function show(id) {
  for (const main of document.querySelectorAll('main')) main.hidden = main.id !== id;
}

function banner(text) {
  $('banner').textContent = text ?? '';
  $('banner').hidden = !text;
}

// --- preview -------------------------------------------------------------------------------------------------------

async function preview() {
  document.title = `${roomName} — Salon`;
  $('room-name').textContent = roomName;
  $('name').value = query.get('name') ?? localStorage.getItem('name') ?? '';
  show('preview');
  if (!isSecureContext) $('preview-note').textContent = t('insecure');
  else $('preview-note').textContent = t('asking');
  openSocket();
  call = newCall();
  const join = query.get('join') === '1';
  const granted = devices.open({ audio: state.audio, video: state.video }).then(async (ok) => {
    $('preview-note').textContent = ok || !isSecureContext ? (isSecureContext ? '' : t('insecure')) : t('no-permission');
    $('self-preview').srcObject = devices.camera ? new MediaStream([devices.camera]) : null;
    $('self-preview').play().catch(() => {});
    $('preview-off').hidden = Boolean(devices.camera);
    await call.prepare(devices);
    await listDevices();
    window.salon.ready = true;
  });
  if (join) {
    await granted;
    enter();
  } else {
    $('name').focus();
    meter();
  }
}

async function listDevices() {
  for (const [kind, select] of [['microphone', $('mic-choice')], ['camera', $('camera-choice')]]) {
    const list = await devices.list(kind);
    const current = devices[kind]?.getSettings().deviceId;
    select.replaceChildren(...(list.length ? list : [['', t('no-device')]]).map(([id, label]) => new Option(label || t('default'), id, false, id === current)));
    select.onchange = async () => {
      const track = await devices.choose(kind, select.value);
      if (!track) return;
      if (kind === 'camera') $('self-preview').srcObject = new MediaStream([track]);
      await call.replace(kind, track);
    };
  }
}

function meter() {
  if ($('preview').hidden) return;
  $('mic-level').value = devices.level();
  setTimeout(meter, 100);
}

// --- room ----------------------------------------------------------------------------------------------------------

function newCall() {
  const c = new Call();
  c.addEventListener('silent', () => ($('unblock').hidden = false));
  c.addEventListener('state', ({ detail }) => {
    if (c !== call) return;
    if (detail === 'connected') {
      mark('connected');
      clearTimeout(reachTimer);
      banner(null);
    } else if (detail === 'disconnected') {
      banner(t('reconnecting'));
    } else if (detail === 'failed') {
      unreachable();
    }
  });
  return c;
}

function unreachable() {
  const [, host, port] = /^(.*):(\d+)$/.exec(media[0] ?? '') ?? [null, location.hostname, '?'];
  banner(t('unreachable', { host, port }));
}

function muted() {
  return [!(state.audio && devices.microphone) && 'microphone', !(state.video && devices.camera) && 'camera'].filter(Boolean);
}

async function enter() {
  const name = $('name').value.trim();
  if (!name) return $('name').focus();
  mark('click');
  localStorage.setItem('name', name);
  window.salon.name = name;
  if (!socket?.alive) openSocket();
  const description = await call.prepare(devices);
  if (devices.microphone) devices.microphone.enabled = state.audio;
  socket.send('join', { name, ...description, muted: muted() });
}

function openSocket() {
  socket = new RoomSocket(roomName);
  const on = (type, handle) => socket.addEventListener(type, ({ detail }) => handle(detail));
  on('welcome', welcome);
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
  on('media', ({ state: s }) => s === 'silent' ? banner(t('media-silent')) : s === 'back' && banner(null));
  on('chat', chatCame);
  on('error', (error) => {
    if (error.re === 'offer') answered?.reject(new Error(error.code));
    else if (error.re === 'join' || error.fatal) $('preview-note').textContent = Room.sentence(error);
    if (error.fatal) leave(Room.sentence(error));
  });
  on('close', (code) => {
    if (room) leave(code ? Room.sentence({ code }) : t('reconnecting'));
  });
}

async function welcome(message) {
  mark('welcome');
  media = message.media ?? [];
  reachTimer = setTimeout(() => call.pc.connectionState !== 'connected' && unreachable(), UNREACHABLE);
  const answered = call.answer(message.sdp);
  room = new Room({ call, devices, send: (type, fields) => socket.send(type, fields), stage: $('stage') });
  show('room');
  room.welcome(message, { name: window.salon.name, sources: ['microphone', 'camera'], muted: muted(), hand: false });
  buttons();
  window.salon.joined = true;
  await answered;
  mark('answered');
}

function leave(why = '') {
  clearTimeout(reachTimer);
  socket?.send('leave');
  socket?.close();
  call?.close();
  devices.close();
  devices.screen?.stop();
  devices.screen = null;
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
  room.draw();
  buttons();
}

function negotiate(description) {
  return new Promise((resolve, reject) => {
    answered = { resolve, reject };
    socket.send('offer', description);
  }).finally(() => (answered = null));
}

async function toggleScreen() {
  let stream = null;
  if (!devices.screen) {
    stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: true }).catch(() => null);
    if (!stream) return;
    devices.screen = stream.getVideoTracks()[0];
    devices.screen.contentHint = 'detail';
    devices.screen.onended = () => devices.screen && toggleScreen();
  } else {
    devices.screen.onended = null;
    devices.screen.stop();
    devices.screen = null;
  }
  await call.share(stream, negotiate).catch(() => {
    devices.screen?.stop();
    devices.screen = null;
  });
  room?.draw();
  buttons();
}

async function toggleAudioOnly() {
  state.audioOnly = !state.audioOnly;
  if (state.audioOnly) {
    if (devices.screen) await toggleScreen();
    if (state.video) await setCamera(false);
  }
  room.setAudioOnly(state.audioOnly);
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
  who.textContent = room?.people.get(from)?.name ?? '?';
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
  const actions = { m: toggleMicrophone, c: () => setCamera(!state.video), s: toggleScreen, h: toggleHand, a: toggleAudioOnly };
  actions[event.key.toLowerCase()]?.();
}

translate();
$('join-form').onsubmit = (event) => {
  event.preventDefault();
  enter();
};
$('b-mic').onclick = toggleMicrophone;
$('b-camera').onclick = () => setCamera(!state.video || !devices.camera);
$('b-screen').onclick = toggleScreen;
$('b-hand').onclick = toggleHand;
$('b-audio-only').onclick = toggleAudioOnly;
$('b-side').onclick = toggleSide;
$('b-leave').onclick = () => leave();
$('b-link').onclick = async () => {
  await navigator.clipboard?.writeText(location.origin + location.pathname).catch(() => {});
  banner(t('link-copied'));
  setTimeout(() => banner(null), 2_000);
};
$('rejoin').onclick = () => location.reload();
$('unblock').onclick = () => {
  call?.unblock();
  $('unblock').hidden = true;
};
$('chat-form').onsubmit = (event) => {
  event.preventDefault();
  const text = $('chat-text').value.trim();
  if (text) socket.send('chat', { text });
  $('chat-text').value = '';
};
addEventListener('keydown', keys);
addEventListener('pagehide', () => socket?.send('leave'));
preview();
