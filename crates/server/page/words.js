// What the page says, in the languages that it speaks.

const words = {
  en: {
    'your-name': 'Your name', microphone: 'Microphone', camera: 'Camera', join: 'Join', people: 'People', chat: 'Chat',
    send: 'Send', 'write-message': 'Write a message', leave: 'Leave', 'you-left': 'You have left', 'join-again': 'Join again',
    'share-screen': 'Share the screen', 'raise-hand': 'Raise a hand', 'audio-only': 'Sound only: no picture, either way',
    'people-and-chat': 'People and chat', 'copy-link': 'Copy the link', 'link-copied': 'The link is copied.',
    'camera-off': 'Camera off', 'tap-to-hear': 'Tap to hear', you: 'you', muted: 'muted', speaking: 'speaking',
    'hand-raised': 'hand raised', 'no-device': 'none', default: 'System default',
    'asking': 'The browser will ask whether this page may use your camera and microphone.',
    'no-permission': 'No microphone and no camera: you can listen and write. To speak, allow them in the address bar and reload.',
    'insecure': 'Browsers give no microphone to pages without HTTPS. Open this page with https:// to speak.',
    connecting: 'Connecting…', reconnecting: 'The connection is lost. Trying again…',
    unreachable: 'UDP port {port} of {host} is not reachable. Sound and picture need it: another network, or the administrator of this one, can help.',
    'media-silent': 'The server hears nothing from you. Your network may have changed.',
    'on-screen': '{name}, screen', waiting: 'the picture is coming', 'no-codec': 'this browser cannot show this picture',
    'no-rate': 'your network is too slow for the picture', 'sound-only': 'sound only',
    'mute-on': 'Mute', 'mute-off': 'Unmute',
    'e-offline': 'The server does not answer. Please try again in a moment.',
    'e-room-full': 'The room is full.', 'e-too-many-rooms': 'The server is full.', 'e-bad-name': 'Please give a name.',
    'e-slow': 'Your connection is too slow for this conversation.', 'e-silent': 'The server heard nothing from this page for too long.',
    'e-idle': 'This page waited too long before joining.', 'e-shutdown': 'The server is stopping.',
    'e-media-lost': 'The server received nothing from you for 30 seconds.', 'e-media-failed': 'The media connection could not be set up.',
    'e-replaced': 'You joined again from another page.', 'e-internal': 'The server failed. Please join again.',
    away: 'connection lost, may come back', moderator: 'moderator', listener: 'listens', drain: 'The server stops in {seconds} seconds. You will be back by yourself.',
    'at-the-door': 'The room is locked. The moderators see that you wait.', 'nobody-opens': 'The room is locked, and nobody who could open it is there. You are let in as soon as it opens.',
    hushed: '{name} muted you.', 'lock': 'Lock the room', 'unlock': 'Unlock the room', 'hush-all': 'Mute everybody', 'end-for-all': 'End for everybody',
    'knocks': '{name} asks to come in.', 'let-in': 'Let in', 'refuse': 'Refuse', 'hush': 'Mute', 'remove': 'Remove', 'sure': 'Really?',
    'e-key-needed': 'This room needs a key: ask whoever invited you for their link.', 'e-bad-key': 'The key of this link is not valid (any more): ask for another one.',
    'e-too-many-joins': 'Too many people come from your address at once. Try again in a moment.', 'e-locked': 'The room is locked.', 'e-not-admitted': 'You were not let in.',
    'e-removed': 'A moderator removed you from the room.', 'e-ended': 'A moderator ended the conference.', 'e-draining': 'The server is about to restart. Try again in a moment.',
    'e-not-allowed': 'Only a moderator may do that.',
    'c-none': 'Your connection: none yet.', 'c-unheard': 'Your connection: the server has heard nothing from you for {seconds} seconds.', 'c-good': 'Your connection: good.',
    'c-rtt': 'Your connection: {ms} ms there and back.', 'c-down': '{percent} % of what is sent to you is lost.', 'c-up': '{percent} % of what you send is lost.',
    'c-slow': 'It carries only {rate} kbit/s: pictures are small or pause.',
    'e-other': 'Something went wrong: {text}',
  },
  fr: {
    'your-name': 'Votre nom', microphone: 'Micro', camera: 'Caméra', join: 'Entrer', people: 'Présents', chat: 'Messages',
    send: 'Envoyer', 'write-message': 'Écrire un message', leave: 'Quitter', 'you-left': 'Vous êtes sorti', 'join-again': 'Revenir',
    'share-screen': 'Partager l’écran', 'raise-hand': 'Lever la main', 'audio-only': 'Son seul : aucune image, ni reçue ni envoyée',
    'people-and-chat': 'Présents et messages', 'copy-link': 'Copier le lien', 'link-copied': 'Le lien est copié.',
    'camera-off': 'Caméra éteinte', 'tap-to-hear': 'Toucher pour entendre', you: 'vous', muted: 'micro coupé', speaking: 'parle',
    'hand-raised': 'main levée', 'no-device': 'aucun', default: 'Choix du système',
    'asking': 'Le navigateur va demander si cette page peut utiliser votre caméra et votre micro.',
    'no-permission': 'Ni micro ni caméra : vous pouvez écouter et écrire. Pour parler, autorisez-les dans la barre d’adresse et rechargez la page.',
    'insecure': 'Les navigateurs refusent le micro aux pages sans HTTPS. Ouvrez cette page avec https:// pour parler.',
    connecting: 'Connexion…', reconnecting: 'La connexion est perdue. Nouvel essai…',
    unreachable: 'Le port UDP {port} de {host} est injoignable. Le son et l’image en ont besoin : essayez un autre réseau, ou voyez avec qui gère celui-ci.',
    'media-silent': 'Le serveur ne reçoit plus rien de vous. Votre réseau a peut-être changé.',
    'on-screen': '{name}, écran', waiting: 'l’image arrive', 'no-codec': 'ce navigateur ne sait pas montrer cette image',
    'no-rate': 'votre réseau est trop lent pour l’image', 'sound-only': 'son seul',
    'mute-on': 'Couper', 'mute-off': 'Rétablir',
    'e-offline': 'Le serveur ne répond pas. Réessayez dans un instant.',
    'e-room-full': 'La salle est pleine.', 'e-too-many-rooms': 'Le serveur est plein.', 'e-bad-name': 'Indiquez un nom.',
    'e-slow': 'Votre connexion est trop lente pour cette conversation.', 'e-silent': 'Le serveur n’a rien entendu de cette page depuis trop longtemps.',
    'e-idle': 'Cette page a attendu trop longtemps avant d’entrer.', 'e-shutdown': 'Le serveur s’arrête.',
    'e-media-lost': 'Le serveur n’a rien reçu de vous pendant 30 secondes.', 'e-media-failed': 'Le son et l’image n’ont pas pu s’établir.',
    'e-replaced': 'Vous êtes revenu depuis une autre page.', 'e-internal': 'Le serveur a failli. Revenez, s’il vous plaît.',
    away: 'connexion perdue, reviendra peut-être', moderator: 'modère', listener: 'écoute', drain: 'Le serveur s’arrête dans {seconds} secondes. Vous reviendrez sans rien faire.',
    'at-the-door': 'La salle est fermée. Les modérateurs voient que vous attendez.', 'nobody-opens': 'La salle est fermée et personne ne peut l’ouvrir. Vous entrerez dès qu’elle s’ouvrira.',
    hushed: '{name} a coupé votre micro.', 'lock': 'Fermer la salle', 'unlock': 'Ouvrir la salle', 'hush-all': 'Couper tous les micros', 'end-for-all': 'Terminer pour tous',
    'knocks': '{name} demande à entrer.', 'let-in': 'Laisser entrer', 'refuse': 'Refuser', 'hush': 'Couper', 'remove': 'Exclure', 'sure': 'Vraiment ?',
    'e-key-needed': 'Cette salle demande une clé : voyez avec qui vous a invité pour son lien.', 'e-bad-key': 'La clé de ce lien n’est pas (ou plus) valable : demandez-en une autre.',
    'e-too-many-joins': 'Trop de personnes arrivent de votre adresse à la fois. Réessayez dans un instant.', 'e-locked': 'La salle est fermée.', 'e-not-admitted': 'On ne vous a pas laissé entrer.',
    'e-removed': 'Quelqu’un qui modère vous a exclu de la salle.', 'e-ended': 'Quelqu’un qui modère a terminé la conférence.', 'e-draining': 'Le serveur va redémarrer. Réessayez dans un instant.',
    'e-not-allowed': 'Seuls les modérateurs le peuvent.',
    'c-none': 'Votre connexion : aucune encore.', 'c-unheard': 'Votre connexion : le serveur n’a rien reçu de vous depuis {seconds} secondes.', 'c-good': 'Votre connexion : bonne.',
    'c-rtt': 'Votre connexion : {ms} ms aller et retour.', 'c-down': '{percent} % de ce qui vous est envoyé se perd.', 'c-up': '{percent} % de ce que vous envoyez se perd.',
    'c-slow': 'Elle ne porte que {rate} kbit/s : les images sont petites ou s’arrêtent.',
    'e-other': 'Quelque chose a échoué : {text}',
  },
};

export const language = (navigator.languages ?? [navigator.language]).map((l) => l.slice(0, 2)).find((l) => l in words) ?? 'en';

/** A sentence, with `{name}` replaced by `values.name`. An unknown key is shown as it is: better than nothing. */
export function t(key, values = {}) {
  const text = words[language][key] ?? words.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** Whether there is a sentence for a key. */
export const has = (key) => key in words.en;

/** Fills all elements that name their words. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const e of root.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of root.querySelectorAll('[data-t-label]')) {
    e.title = t(e.dataset.tLabel);
    e.setAttribute('aria-label', t(e.dataset.tLabel));
    if ('placeholder' in e) e.placeholder = t(e.dataset.tLabel);
  }
}
