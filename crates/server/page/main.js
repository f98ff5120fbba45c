// The page: preview, room, leave.

import { Announcer } from './announcer.js';
import { Chat } from './chat.js';
import { ownConnection } from './connection.js';
import { Controls } from './controls.js';
import { Devices } from './devices.js';
import { Dialogs } from './dialogs.js';
import { Moderation } from './moderation.js';
import { Room } from './room.js';
import { Session } from './session.js';
import { Sobriety } from './sobriety.js';
import { t, translate } from './words.js';

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const roomName = decodeURIComponent(location.pathname.split('/').pop());
const key = keyOfTheLink();

const devices = new Devices(query);
const sobriety = new Sobriety();
let session = null;
let room = null;

/** What stands behind `#key=` in the link. It is taken off the address, so that nobody passes it on by accident, and kept for reloads. */
function keyOfTheLink() {
  const given = new URLSearchParams(location.hash.slice(1)).get('key');
  if (given) {
    sessionStorage.setItem(`key:${roomName}`, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return given ?? sessionStorage.getItem(`key:${roomName}`) ?? undefined;
}

// What tests and the curious may look at; nothing here changes anything.
window.salon = {
  get pc() { return session?.call.pc; },
  get slots() { return Object.fromEntries(room?.slots ?? []); },
  get people() { return [...(room?.people.values() ?? [])]; },
  get me() { return room?.me; },
  get banner() { return $('banner').hidden ? null : $('banner').textContent; },
  audioElements: () => [...(session?.call.slots ?? [])].filter(([, s]) => s.kind === 'audio').map(([mid, s]) => ({ mid, element: s.element })),
  videoElements: () => [...(session?.call.slots.values() ?? [])].filter((s) => s.kind === 'video').map((s) => s.element),
  marks: {},
  joined: false,
};
const mark = (name) => (window.salon.marks[name] ??= performance.now());

function show(id) {
  Dialogs.closeAll();
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
  $('banner').classList.toggle('mild', first === sayings.get('note'));
}

// --- preview -------------------------------------------------------------------------------------------------------

async function preview() {
  document.title = `${roomName} — Salon`;
  for (const id of ['room-name', 'room-title', 'place-name']) $(id).textContent = roomName;
  $('name').value = query.get('name') ?? localStorage.getItem('name') ?? '';
  $('preview-note').textContent = t(isSecureContext ? 'asking' : 'insecure');
  show('preview');
  session = openSession();
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
  await session.call.prepare(devices);
  for (const kind of ['microphone', 'camera']) {
    if (!devices[kind]) continue;
    await session.call.replace(kind, controls.track(kind));
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
  const speakers = 'setSinkId' in HTMLMediaElement.prototype ? await devices.list('speaker') : [];
  $('speaker').hidden = speakers.length < 2;
  for (const [kind, select] of [['microphone', $('mic-choice')], ['camera', $('camera-choice')], ['speaker', $('speaker-choice')]]) {
    const list = kind === 'speaker' ? speakers : await devices.list(kind);
    const current = kind === 'speaker' ? select.value : devices[kind]?.getSettings().deviceId;
    select.replaceChildren(...(list.length ? list : [['', t('no-device')]]).map(([id, label]) => new Option(label || t('default'), id, false, id === current)));
    select.disabled = !list.length;
    select.onchange = () => (kind === 'speaker' ? chooseSpeaker(select.value) : chooseDevice(kind, select.value));
  }
}

/** Another device is taken at once, without leaving: the others hear and see on. */
async function chooseDevice(kind, id) {
  const track = await devices.choose(kind, id);
  if (!track) return listDevices();
  if (kind === 'microphone') track.enabled = controls.audio;
  if (controls.track(kind)) await session.call.replace(kind, track);
  else if (kind === 'camera') devices.closeCamera();
  showPreview();
  room?.draw();
  controls.draw();
}

function chooseSpeaker(id) {
  for (const { element } of window.salon.audioElements()) element.setSinkId(id).catch(() => {});
}

function meter() {
  if ($('preview').hidden && !$('settings').open) return devices.closeMeter();
  $('mic-level').value = devices.level();
  setTimeout(meter, 100);
}

// --- room ----------------------------------------------------------------------------------------------------------

function openSession() {
  const hello = () => ({ name: window.salon.name, muted: controls.muted(), key });
  const mine = new Session({ room: roomName, devices, hello });
  const on = (type, handle) => mine.addEventListener(type, ({ detail }) => mine === session && handle(detail));
  on('welcome', welcome);
  on('answered', answered);
  on('resumed', (message) => {
    room?.resume(message);
    moderation.doorIs(message.locked, message.knocks);
  });
  on('lost', () => say('connection', t('reconnecting')));
  on('back', () => say('connection'));
  on('over', (error) => left(Room.sentence(error)));
  on('path', pathIs);
  on('silent', () => ($('unblock').hidden = false));
  on('joined', ({ person }) => room?.put(person));
  on('changed', ({ person }) => room?.put(person));
  on('left', ({ id }) => room?.drop(id));
  on('slots', ({ slots }) => {
    if (Object.values(slots).some((s) => s.person !== undefined)) mark('slots');
    room?.slotsChanged(slots);
  });
  on('floor', ({ person }) => room?.setFloor(person));
  on('speaking', ({ person, on: is }) => room?.setSpeaking(person, is));
  on('media', ({ state: s }) => say('media', s === 'silent' ? t('media-silent') : null));
  on('chat', ({ from, text, at }) => chat.came(room?.name(from) ?? '?', text, at));
  on('connection', (message) => {
    $('own-connection').textContent = ownConnection(message);
    $('sobriety').textContent = sobriety.say(message.costs);
    $('sobriety').hidden = false;
  });
  on('drain', ({ seconds }) => say('note', t('drain', { seconds })));
  on('waiting', ({ moderators }) => {
    $('join').disabled = true;
    $('preview-note').textContent = t(moderators ? 'at-the-door' : 'nobody-opens');
  });
  on('knock', (knock) => moderation.knocked(knock));
  on('knock-over', ({ id }) => moderation.answered(id));
  on('locked', ({ locked }) => {
    moderation.doorIs(locked);
    announcer.say(locked ? 'says-locked' : 'says-unlocked', '');
  });
  on('hushed', ({ source, by }) => {
    controls.hushed(source);
    say('note', t('hushed', { name: room?.name(by) ?? '?' }));
    setTimeout(() => say('note'), NOTE);
  });
  return mine;
}

/** Asks how one's own media fare: often while somebody looks, and else once a minute, for what the hour has cost. */
let unasked = 0;
setInterval(() => {
  if (!room || ($('side').hidden && ++unasked < 30)) return;
  unasked = 0;
  session.send('connection');
}, 2_000);

/** How long a passing word stands. */
const NOTE = 6_000;

function pathIs(now) {
  if (now === 'connected') {
    mark('connected');
    say('path');
  } else if (now === 'disconnected') {
    say('path', t('reconnecting'));
  } else if (now === 'failed' || now === 'unreachable') {
    const [, host, port] = /^(.*):(\d+)$/.exec(session.media[0] ?? '') ?? [null, location.hostname, '?'];
    say('path', t('unreachable', { host, port }));
  }
}

async function enter() {
  const name = $('name').value.trim();
  if (!name) return $('name').focus();
  mark('click');
  localStorage.setItem('name', name);
  window.salon.name = name;
  // In the click itself: later the browser might refuse sound.
  session.call.play();
  try {
    await session.join();
  } catch (error) {
    $('join').disabled = false;
    $('preview-note').textContent = Room.sentence(error);
  }
}

/** One is in the room, for the first time or anew. */
function welcome(message) {
  mark('welcome');
  room?.close();
  room = new Room({
    ...{ call: session.call, devices, stage: $('stage'), moderation, announcer, onTuck: () => controls.tuck(!controls.tucked) },
    send: (type, fields) => session.send(type, fields),
  });
  show('room');
  window.salon.name = message.name;
  // Before the list of people, which holds their tools.
  moderation.welcome(message);
  room.welcome(message, { name: message.name, role: message.role, sources: ['microphone', 'camera'], muted: controls.muted(), hand: controls.hand });
  room.setAudioOnly(controls.audioOnly);
  room.setSpeakerView(controls.speakerView);
  room.setTucked(controls.tucked);
  if (document.hidden) room.setHidden(true);
  controls.allow(message.role !== 'listener');
  $('settings-devices').append($('devices'));
  controls.draw();
  say('note');
  window.salon.joined = true;
  if (controls.hand) session.send('hand', { raised: true });
}

/** The media connection is agreed. What changed while the offer was under way, and what had been refused without a click. */
async function answered() {
  mark('answered');
  const { call } = session;
  for (const kind of ['microphone', 'camera']) await call.replace(kind, controls.track(kind));
  call.play();
  if (controls.sharing) controls.share();
}

function leave() {
  session?.leave();
  left();
}

/** One is out of the room; `why`, if it was not by one's own will. */
function left(why = '') {
  devices.close();
  controls.stopScreen();
  room?.close();
  room = null;
  controls.draw();
  window.salon.joined = false;
  $('left-why').textContent = why;
  show('left');
}

const controls = new Controls(
  {
    devices,
    get call() { return session.call; },
    get room() { return room; },
    negotiate: (description) => session.negotiate(description),
    send: (type, fields) => session.send(type, fields),
    ...{ say, leave, sideOpened: () => chat.read(), open: (id) => dialogs.open(id), announce: (text) => ($('live').textContent = text) },
  },
  { audio: query.get('audio') !== '0', video: query.get('video') !== '0' },
);
const announcer = new Announcer();
const dialogs = new Dialogs({ leave, opened: (id) => id === 'settings' && meter() });
const chat = new Chat((text) => session.send('chat', { text }));
const moderation = new Moderation((type, fields) => session.send(type, fields));
translate();
$('join-form').onsubmit = (event) => {
  event.preventDefault();
  enter();
};
$('rejoin').onclick = () => location.reload();
$('unblock').onclick = () => {
  $('unblock').hidden = true;
  session.call.play();
};
devices.addEventListener('lost', async ({ detail: kind }) => {
  // Unplugged: another one takes over, if there is one; else others see that it is off.
  const other = (kind === 'microphone' ? controls.audio : controls.video) ? await devices.choose(kind, '') : null;
  if (other && kind === 'microphone') other.enabled = controls.audio;
  await session.call.replace(kind, controls.track(kind));
  if (room) controls.tell(kind);
  room?.draw();
  controls.draw();
  listDevices();
});
navigator.mediaDevices?.addEventListener?.('devicechange', listDevices);

/** Who looks at another page for so long needs no pictures; they are back at once. */
const OUT_OF_SIGHT = 5_000;
let sightTimer = null;
document.addEventListener('visibilitychange', () => {
  clearTimeout(sightTimer);
  if (document.hidden) sightTimer = setTimeout(() => room?.setHidden(true), OUT_OF_SIGHT);
  else room?.setHidden(false);
});
addEventListener('pagehide', () => session?.goodbye());
// A page that comes back out of the browser's memory has lost its connection.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
// Not before the page has loaded: slots that wait for their first packet would hold its load event back.
if (document.readyState === 'complete') preview();
else addEventListener('load', preview, { once: true });
