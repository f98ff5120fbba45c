// Translated addresses, other families, narrow paths, blocked ports: real browsers and the real server in networks of our own.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as lib from './lib/index.mjs';
import { both, seconds } from './lib/index.mjs';

const skip = lib.noNetworks();

/** A server with an ordinary address, and a friend of whom one hears. `pal`: where the friend is; `firefox`: whether the other one is that. */
async function town(t, { server = {}, meet = {}, address = (host) => host.v4 } = {}) {
  const stage = lib.Stage.of(t);
  const network = lib.Network.make(stage);
  const host = network.host('server', server);
  const started = await lib.startMeet(stage, { at: [network, 'server', address(host)], ...meet });
  return { stage, network, host, meet: started };
}

async function join({ stage, network, meet }, n, at, { browser = 'chromium', video = 0, ...rest } = {}) {
  const tab = await lib.openPerson(stage, n, { browser, at: [network, at], loopback: false, ...(video ? {} : { clip: null }), ...rest });
  return lib.joinRoom(tab, meet, 'hall', { video });
}

test('a server behind a router that translates one to one, clients behind one that masquerades', { skip }, async (t) => {
  const stage = lib.Stage.of(t);
  const network = lib.Network.make(stage);
  network.host('server', { v6: false });
  network.host('home', { v6: false });
  network.host('pal', { v6: false });
  // The server knows 10.9.1.2 alone; the world knows it as 198.51.100.7. The home is 10.9.2.2, and comes as the router.
  network.rules(`table ip nat {
    chain prerouting { type nat hook prerouting priority -100; ip daddr 198.51.100.7 dnat to 10.9.1.2; }
    chain postrouting { type nat hook postrouting priority 100; ip saddr 10.9.2.2 masquerade; }
  }`);
  const meet = await lib.startMeet(stage, { at: [network, 'server', '10.9.1.2'], addresses: ['198.51.100.7'] });
  const world = { ...meet, room: (...args) => meet.room(...args).replace('10.9.1.2', '198.51.100.7') };
  const place = { stage, network, meet: world };
  const ada = await join(place, 0, 'home');
  const blaise = await join(place, 1, 'pal', { browser: 'firefox' });
  await both(ada, blaise);
  const { participants } = await meet.api('/api/rooms/hall');
  assert.deepEqual(participants.map((p) => p.remote.split(':')[0]).sort(), ['10.9.1.1', '10.9.3.2'], 'one as the router, one as itself');
  assert.ok(participants.every((p) => p.local.startsWith('10.9.1.2:')));
});

for (const [browser, goal] of [['chromium', 3], ['firefox', 6]]) {
  test(`a router that forgets: ${browser} is heard again through another port`, { skip }, async (t) => {
    const place = await town(t);
    const { network, meet } = place;
    network.host('home', { v6: false });
    network.host('pal', { v6: false });
    const masquerade = (ports) => network.rules(`table ip nat {}\ndelete table ip nat\ntable ip nat {
      chain postrouting { type nat hook postrouting priority 100; ip saddr 10.9.2.2 udp sport 1-65535 masquerade to ${ports}; ip saddr 10.9.2.2 masquerade; }
    }`);
    masquerade(':30000-30100');
    const ada = await join(place, 0, 'home', { browser });
    const blaise = await join(place, 1, 'pal');
    await both(ada, blaise);
    const remote = async () => (await meet.api('/api/rooms/hall')).participants.map((p) => p.remote).find((r) => !r.startsWith('10.9.3.2'));
    const before = await remote();
    masquerade(':40000-40100');
    // What was on its way comes to its end, so that what is heard afterwards came by the new way.
    network.in('router', 'conntrack', '-F');
    const began = performance.now();
    const after = await lib.waitFor(async () => (await remote()) !== before && remote(), { what: 'another port', every: 50 });
    const took = await both(ada, blaise, began);
    console.log(`rebound, ${browser}: ${before} → ${after}, sound both ways after ${seconds(took)} (goal: ${goal} s)`);
    assert.match(after, /:40\d\d\d$/);
    assert.ok(took < goal * 5_000, 'a guard, five times the goal');
  });
}

for (const browser of ['chromium', 'firefox']) {
  test(`from one network to another: ${browser} changes its address and stays in the room`, { skip }, async (t) => {
    const place = await town(t);
    const { network } = place;
    network.host('phone', { v6: false });
    network.host('pal', { v6: false });
    const ada = await join(place, 0, 'phone', { browser });
    const blaise = await join(place, 1, 'pal');
    await both(ada, blaise);
    const id = await lib.idOf(ada);
    // The cell's network is there before the other one goes; then that one goes without a word.
    const cell = network.attach('phone', { v6: false, device: 'cell0' });
    network.in('phone', 'ip', 'addr', 'flush', 'dev', 'wan0');
    network.in('phone', 'ip', 'link', 'set', 'wan0', 'down');
    const began = performance.now();
    const moved = async () => (await place.meet.api('/api/rooms/hall')).participants.some((p) => p.remote.startsWith(cell.v4));
    await lib.waitFor(moved, { what: 'the other address', every: 50, guard: 90_000, explain: () => lib.said(ada) });
    const took = await both(ada, blaise, began);
    console.log(`another network, ${browser}: sound both ways after ${seconds(took)}`);
    assert.equal(await lib.idOf(ada), id, 'the same person, without joining anew');
    assert.equal((await place.meet.api('/api/rooms/hall')).participants.length, 2);
  });
}

test('IPv6 alone, over a path that carries 1,280 bytes', { skip }, async (t) => {
  const narrow = { v4: false, mtu: 1280 };
  const place = await town(t, { server: narrow, address: (host) => host.v6 });
  for (const name of ['home', 'pal']) place.network.host(name, narrow);
  const ada = await join(place, 0, 'home', { video: 1 });
  const blaise = await join(place, 1, 'pal', { browser: 'firefox', video: 1 });
  await both(ada, blaise);
  for (const tab of [ada, blaise]) {
    const frames = async () => Object.values(await lib.framesDecoded(tab)).reduce((a, b) => a + b, 0);
    await lib.waitFor(async () => (await frames()) > 30, { what: `${tab.browser} to decode pictures`, explain: frames });
  }
  const metrics = await place.meet.api('/metrics');
  const refused = /^salon_datagrams_refused_total (\d+)/m.exec(metrics)?.[1];
  assert.equal(refused, '0', 'no datagram was too large for the path');
});

test('several interfaces: each client reaches the server by the one that it can', { skip }, async (t) => {
  const place = await town(t);
  const { network, stage } = place;
  const inner = network.attach('server', { device: 'lan0' });
  for (const name of ['home', 'pal']) network.host(name);
  // The home reaches the inner address alone, the friend the outer one alone.
  network.rules(`table inet walls {
    chain forward { type filter hook forward priority 0; ip saddr 10.9.3.2 ip daddr 10.9.1.2 drop; ip6 saddr fd09:0:0:3::2 ip6 daddr fd09:0:0:1::2 drop;
      ip saddr 10.9.4.2 ip daddr 10.9.2.2 drop; ip6 saddr fd09:0:0:4::2 ip6 daddr fd09:0:0:2::2 drop; }
  }`);
  const { meet } = place;
  const ada = await join({ stage, network, meet: { ...meet, room: (...args) => meet.room(...args).replace('10.9.1.2', inner.v4) } }, 0, 'home');
  const blaise = await join(place, 1, 'pal');
  await both(ada, blaise);
});

test('where UDP is blocked the page says so, and recovers when it opens', { skip }, async (t) => {
  const place = await town(t);
  const { network, meet, stage } = place;
  network.host('office', { v6: false });
  network.host('pal', { v6: false });
  const blaise = await join(place, 1, 'pal');
  network.rules(`table inet office {
    chain forward { type filter hook forward priority 0; ip saddr 10.9.2.2 meta l4proto udp drop; ip daddr 10.9.2.2 meta l4proto udp drop; }
  }`);
  const ada = await lib.openPerson(stage, 0, { at: [network, 'office'], loopback: false, clip: null });
  await ada.goto(meet.room('hall', { name: 'Ada', join: 1, video: 0 }));
  const sentence = `UDP port ${meet.udp} of 10.9.1.2 is not reachable`;
  await lib.waitFor(() => ada.evaluate((s) => window.salon.banner?.includes(s), sentence), { what: sentence, explain: () => lib.said(ada) });
  console.log(`blocked: said ${seconds(await ada.evaluate(() => performance.now() - window.salon.marks.welcome))} after the welcome`);
  network.rules('delete table inet office');
  const took = await both(ada, blaise, performance.now());
  console.log(`opened: sound both ways after ${seconds(took)}`);
  await lib.waitFor(() => ada.evaluate(() => window.salon.banner === null), { what: 'the sentence to be taken back' });
});

test('who has too narrow a link for a picture reads so, until it is wide enough', { skip }, async (t) => {
  const place = await town(t, { server: { v6: false } });
  for (const name of ['home', 'pal']) place.network.host(name, { v6: false });
  const blaise = await lib.openPerson(place.stage, 1, { at: [place.network, 'pal'], loopback: false, clip: null });
  await lib.joinRoom(blaise, place.meet, 'hall', { height: 360, rate: 30 });
  const ada = await join(place, 0, 'home');
  await ada.click('#b-side');
  const words = () => ada.evaluate(() => document.getElementById('own-connection').textContent);
  const slow = async () => (await words()).includes('It carries only');
  await lib.waitFor(async () => Object.values(await lib.framesDecoded(ada)).some((n) => n > 30), { what: 'the picture' });
  await lib.waitFor(words, { what: 'a word about the connection' });
  assert.ok(!(await slow()), await words());
  place.network.rules(`table inet narrow {
    chain forward { type filter hook forward priority 0; ip daddr 10.9.2.2 meta l4proto udp limit rate over 25 kbytes/second burst 10 kbytes drop; }
  }`);
  await lib.waitFor(slow, { what: 'the word that it is too slow', explain: words });
  place.network.rules('delete table inet narrow');
  await lib.waitFor(async () => !(await slow()), { what: 'that word to be taken back', guard: 90_000, explain: words });
});
