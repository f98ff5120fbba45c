// One's own connection, in words: only what is worth one.

import { t } from './words.js';

/** The sentence for what the server says of it. */
export function ownConnection({ connected, rtt_ms, unheard_ms, loss_up, loss_down, budget, narrow }) {
  if (!connected) return t('c-none');
  if (unheard_ms > 3_000) return t('c-unheard', { seconds: Math.round(unheard_ms / 1000) });
  const percent = (share) => (100 * share).toLocaleString(undefined, { maximumFractionDigits: 1 });
  const words = [
    rtt_ms === null ? t('c-good') : t('c-rtt', { ms: rtt_ms }),
    loss_down > 0.02 && t('c-down', { percent: percent(loss_down) }),
    loss_up > 0.02 && t('c-up', { percent: percent(loss_up) }),
    // That little is sent does not say that little fits.
    narrow && t('c-slow', { rate: Math.round(budget / 1000) }),
  ];
  return words.filter(Boolean).join(' ');
}
