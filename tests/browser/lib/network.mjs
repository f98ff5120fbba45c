// Networks of our own: hosts in namespaces around one router, which translates, filters, cuts. Real addresses on real interfaces, and no
// packet leaves this machine.

import { execFileSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

let networks = 0;

/** Why networks cannot be made here, or false. */
export function noNetworks() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'network namespaces need root on Linux';
  for (const program of ['ip', 'nft', 'conntrack']) {
    try {
      execFileSync('which', [program], { stdio: 'ignore' });
    } catch {
      return `${program} is not installed`;
    }
  }
  return false;
}

const run = (...command) => execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/**
 * A router with hosts around it. Host `k` (from 1, in the order of their making) is `10.9.k.2` and `fd09::k:2`, its router `….1`. This test's own
 * process reaches them too, as `10.9.250.2`.
 */
export class Network {
  #stage;
  #prefix = `salon${process.pid}n${networks++}`;
  #hosts = 0;
  #short = `s${process.pid % 10_000}${networks}`;

  static make(stage) {
    const network = new Network();
    network.#stage = stage;
    network.#add('router');
    network.in('router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    // The test's own way in.
    network.#link('router', 250, { own: true });
    return network;
  }

  /** The namespace of a host, for programs that are started in it. */
  namespace(host) {
    return `${this.#prefix}-${host}`;
  }

  /** What stands before a command that is to run on a host. */
  on(host) {
    return ['ip', 'netns', 'exec', this.namespace(host)];
  }

  /** Runs a command on a host and waits for it. */
  in(host, ...command) {
    return run(...this.on(host), ...command);
  }

  /** Another host; `v4`, `v6`: which families it has. Gives its addresses. */
  host(name, { v4 = true, v6 = true, mtu = 1500 } = {}) {
    this.#add(name);
    return this.attach(name, { v4, v6, mtu });
  }

  /** Another interface of a host, `wan0` first; the default route goes by the newest. */
  attach(name, { v4 = true, v6 = true, mtu = 1500, device = 'wan0' } = {}) {
    return this.#link(name, ++this.#hosts, { v4, v6, mtu, device });
  }

  /** Loads rules into the router, or another host (`nft -f`). */
  rules(text, host = 'router') {
    execFileSync('ip', ['netns', 'exec', this.namespace(host), 'nft', '-f', '-'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** No packet passes from or to this interface of the router any more, or all do again. */
  cut(device, isCut) {
    const rules = `iifname "${device}" drop; oifname "${device}" drop;`;
    this.rules(`table inet cut {}\ndelete table inet cut\n${isCut ? `table inet cut {\nchain forward { type filter hook forward priority -200; ${rules} }\n}` : ''}`);
  }

  /** A program file that runs another program on a host. */
  async program(host, program) {
    const path = join(await this.#stage.directory('salon-on'), 'run');
    await writeFile(path, `#!/bin/sh\nexec ${this.on(host).join(' ')} ${program} "$@"\n`);
    await chmod(path, 0o755);
    return path;
  }

  #add(name) {
    const namespace = this.namespace(name);
    run('ip', 'netns', 'add', namespace);
    this.#stage.onClear(() => run('ip', 'netns', 'del', namespace));
    run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
  }

  #link(name, k, { v4 = true, v6 = true, mtu = 1500, device = 'wan0', own = false } = {}) {
    const [router, here] = [this.namespace('router'), own ? `${this.#short}own` : device];
    const there = own ? 'to-test' : `to-${name}-${device}`.slice(0, 15);
    const peer = own ? ['peer', 'name', here] : ['peer', 'name', here, 'netns', this.namespace(name)];
    run('ip', '-n', router, 'link', 'add', there, ...(own ? ['type', 'veth', 'peer', 'name', here, 'netns', '1'] : ['type', 'veth', ...peer]));
    const end = own ? ['ip'] : ['ip', '-n', this.namespace(name)];
    const addresses = { device: there };
    // An address that appears by itself seconds later would be a change of the network to a browser.
    const still = (name, dev) => this.in(name, 'sysctl', '-qw', `net.ipv6.conf.${dev}.accept_dad=0`, ...(v6 ? [] : [`net.ipv6.conf.${dev}.disable_ipv6=1`]));
    still('router', there);
    if (!own) still(name, here);
    for (const [on, dev, last] of [[['ip', '-n', router], there, 1], [end, here, 2]]) {
      run(...on, 'link', 'set', dev, 'mtu', String(mtu), 'up');
      if (v4) run(...on, 'addr', 'add', `10.9.${k}.${last}/24`, 'dev', dev);
      if (v6) run(...on, 'addr', 'add', `fd09:0:0:${k}::${last}/64`, 'dev', dev, 'nodad');
    }
    const [to4, to6] = own ? ['10.9.0.0/16', 'fd09::/16'] : ['default', 'default'];
    if (v4) run(...end, 'route', 'replace', to4, 'via', `10.9.${k}.1`, 'dev', here);
    if (v6) run(...end, '-6', 'route', 'replace', to6, 'via', `fd09:0:0:${k}::1`, 'dev', here);
    if (own) this.#stage.onClear(() => run('ip', 'link', 'del', here));
    return Object.assign(addresses, { v4: v4 && `10.9.${k}.2`, v6: v6 && `fd09:0:0:${k}::2` });
  }
}
