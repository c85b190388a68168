// The stat page: what the server does at present, as it changes, and the means to stop some of it.

import { ask, fetchServer, watchStreams } from '../api.js';
import { Dialog } from '../dialog.js';
import { byId, setText } from '../dom.js';
import { Frame } from '../frame.js';
import { onLanguage, t } from '../i18n.js';
import { Refusals } from '../refusals.js';
import { Bans } from './bans.js';
import { History } from './history.js';
import { MAX_SESSIONS } from './sessions.js';
import { StreamTable } from './table.js';
import { Summary } from './summary.js';

const SERVER_MS = 5000;
const SESSIONS_MS = 2000;
// A restart is news for this long.
const NEWS_MS = 60_000;
// Times are told in whole milliseconds, and the answer was on its way.
const CLOCK_SLACK_MS = 1500;

const frame = new Frame();
const history = new History();
const refusals = new Refusals();
const summary = new Summary(refusals);
const dialog = new Dialog();
const bans = new Bans(liftBan);
const table = new StreamTable(history, refusals, {
  opened: (name, isOpen) => isOpen && learnSessions(name),
  kickStream,
  kickSession,
});

let connected = null;
let denied = false;
let server = null;
let learntAt = 0;
let lostAt = 0;
let restartedAt = -Infinity;
let wanted = new URLSearchParams(location.search).get('stream');

const learn = () => Promise.all([learnServer(), learnBans()]);

async function learnServer() {
  try {
    const answer = await fetchServer();
    const now = performance.now();
    const expected = server && server.uptime_ms + now - learntAt;
    if (expected !== null && answer.uptime_ms < expected - CLOCK_SLACK_MS) restartedAt = Date.now() - answer.uptime_ms;
    server = answer;
    learntAt = now;
    summary.setServer(server);
  } catch {
    // The events connection reports and retries; when it opens, this is asked again.
  }
}

async function learnBans() {
  try {
    bans.update((await ask('bans')).bans);
  } catch {
    // As above.
  }
}

async function learnSessions(name) {
  try {
    table.showSessions(name, await ask(`sessions?stream=${encodeURIComponent(name)}&purpose=play&limit=${MAX_SESSIONS}`));
  } catch (error) {
    table.showSessions(name, { error });
  }
}

function kickStream(name) {
  const texts = { title: t('dialog.stream.title', { stream: name }), text: t('dialog.stream.text'), confirm: t('dialog.stream.confirm'), ban: true };
  dialog.ask(texts, async ({ ban }) => {
    await ask(`streams/${pathOf(name)}?ban=${ban}`, { method: 'DELETE' });
    announce(t('dialog.stream.done', { stream: name }));
    await learnBans();
  });
}

function liftBan(name) {
  const texts = { title: t('dialog.lift.title', { stream: name }), text: t('dialog.lift.text'), confirm: t('dialog.lift.confirm'), isDanger: false };
  dialog.ask(texts, async () => {
    await ask(`bans/${pathOf(name)}`, { method: 'DELETE' });
    announce(t('dialog.lift.done', { stream: name }));
    await learnBans();
  });
}

function kickSession({ id, peer, stream }) {
  const texts = { title: t('dialog.session.title', { peer }), text: t('dialog.session.text'), confirm: t('dialog.session.confirm') };
  dialog.ask(texts, async () => {
    await ask(`sessions/${encodeURIComponent(id)}`, { method: 'DELETE' });
    announce(t('dialog.session.done', { peer }));
    await learnSessions(stream);
  });
}

const pathOf = (name) => name.split('/').map(encodeURIComponent).join('/');

function announce(words) {
  setText(byId('announce'), words);
}

function showNotice() {
  const notice = byId('notice');
  let text = '';
  if (denied) text = t('stat.denied');
  else if (connected === false) text = t('stat.lost', { time: clock(lostAt) });
  else if (Date.now() - restartedAt < NEWS_MS) text = t('stat.restarted', { time: clock(restartedAt) });
  setText(byId('notice-text'), text);
  notice.hidden = !text;
  notice.dataset.tone = denied || connected === false ? 'bad' : 'news';
  byId('token').hidden = !denied;
}

/** A time of day. Not "ten seconds ago": that would be read out anew every second. */
const clock = (time) => new Date(time).toLocaleTimeString(document.documentElement.lang);

const feed = watchStreams({
  onConnection(up, isDenied) {
    if (connected !== false && !up) lostAt = Date.now();
    connected = up;
    denied = isDenied;
    frame.setConnected(up || denied);
    if (up) learn();
    showNotice();
  },
  onStreams(streams, refused) {
    refusals.update(refused);
    const changed = history.add(streams);
    table.update(streams, changed);
    summary.setStreams(streams);
    if (wanted && streams.some(({ name }) => name === wanted)) {
      table.open(wanted);
      wanted = null;
    }
  },
});

byId('token').addEventListener('click', () => dialog.askToken(async () => {
  await fetchServer();
  feed.retry();
}));
onLanguage(showNotice);
frame.ready();

setInterval(() => {
  summary.tick();
  table.tick();
  bans.tick();
  showNotice();
}, 1000);
setInterval(() => connected && !document.hidden && learn(), SERVER_MS);
setInterval(() => {
  const name = table.opened;
  if (name && connected && !document.hidden) learnSessions(name);
}, SESSIONS_MS);
