// Keeps the page's own files, so that it opens without a connection. Of Auth, the data API and the functions it keeps
// nothing. With a connection the document always comes from the server, so a deployment is never missed.

const FILES = ['{files}'];
/** Another build has other names, and its files go into another cache. The origin may have caches of other pages. */
const PREFIX = 'sound-whiskers ';
const NAME = PREFIX + FILES.join(' ');
/** Asks the server, because the browser's own cache may hold an older document, which names other files. */
const asked = (name) => new Request(name, { cache: 'no-cache' });

addEventListener('install', (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES.map(asked))));
});

addEventListener('activate', (event) => {
  const forget = (names) => Promise.all(names.filter((it) => it.startsWith(PREFIX) && it !== NAME).map((it) => caches.delete(it)));
  event.waitUntil(caches.keys().then(forget));
});

const kept = async (name) => (await caches.open(NAME)).match(name);
const fresh = (request, name) => fetch(request).catch(async () => (await kept(name)) ?? Response.error());

addEventListener('fetch', (event) => {
  const { request } = event;
  const [place] = request.url.split(/[?#]/);
  if (request.method !== 'GET' || !place.startsWith(registration.scope)) return;
  const name = `./${place.slice(registration.scope.length)}`;
  if (!FILES.includes(name)) return;
  // A file whose name contains a hash of its content never changes.
  const isHashed = name.startsWith('./assets/');
  event.respondWith(isHashed ? kept(name).then((it) => it ?? fetch(request)) : fresh(request, name));
});
