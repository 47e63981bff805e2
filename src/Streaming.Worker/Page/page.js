import { $, address, element, replace, say } from './dom.js';
import { get, onUnlock } from './api.js';
import * as live from './live.js';
import * as items from './items.js';
import * as users from './users.js';

// The address holds the whole state: every view and answer is a link that can be shared.
const views = { live, items, users };
const second = 1000;
let status = null;
let shown = null;

function viewOf(query) {
  return query.has('user') || query.get('view') === 'users'
    ? 'users'
    : query.has('item') || query.get('view') === 'items'
      ? 'items'
      : 'live';
}

function show(moved) {
  const query = new URLSearchParams(location.search);
  const view = viewOf(query);
  for (const name of Object.keys(views)) {
    $(name).hidden = name !== view;
  }
  for (const link of document.querySelectorAll('nav a[data-view]')) {
    link.href = address(link.dataset.view === 'live' ? {} : { view: link.dataset.view });
    link.removeAttribute('aria-current');
    if (link.dataset.view === view) {
      link.setAttribute('aria-current', 'page');
    }
  }
  document.title = `${$(`${view}-title`).textContent} · Streaming`;
  shown = view;
  offerGenerations(query);
  views[view].show(query, status);
  if (moved) {
    $('main').focus({ preventScroll: false });
  }
}

/** Where a generation is on trial, the views of lookups can be answered from either one. */
function offerGenerations(query) {
  $('served').hidden = !status?.trial || shown === 'live';
  if ($('served').hidden) {
    return;
  }

  const chosen = query.get('generation');
  replace(
    $('served'),
    [
      [null, 'As served'],
      [`${status.index.generation}`, `Generation ${status.index.generation}`],
      [`${status.trial.generation}`, `Trial ${status.trial.generation}`],
    ].map(([generation, name]) => {
      const parts = new URLSearchParams(query);
      parts.delete('generation');
      if (generation) {
        parts.set('generation', generation);
      }
      return element('a', { href: `?${parts}`, ...(chosen === generation ? { 'aria-current': 'true' } : {}) }, name);
    }),
  );
}

function go(href) {
  history.pushState(null, '', href);
  show(true);
}

document.addEventListener('click', event => {
  const link = event.target.closest?.('a[href^="?"]');
  if (link && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    go(link.getAttribute('href'));
  }
});
document.addEventListener('submit', event => {
  const form = event.target;
  if (form.id !== 'unlock') {
    event.preventDefault();
    const parts = [...new FormData(form, event.submitter)].filter(([, value]) => value !== '');
    go(address([...parts, ['view', shown]]));
  }
});
window.addEventListener('popstate', () => show(true));

function tellHealth(health) {
  const chip = $('health');
  const name = health?.status ?? 'no answer';
  if (chip.dataset.level !== name) {
    chip.dataset.level = name;
    chip.replaceChildren(element('span', { className: 'dot', 'aria-hidden': 'true' }), element('span', {}, name));
  }
}

const answerable = () => JSON.stringify([status?.widths, status?.trial?.widths]);

async function refresh() {
  // Lookups that were asked before the server could answer are asked again when it can.
  const before = answerable();
  let health = null;
  try {
    health = await get('health/live');
    status = await get('status');
    say($('model'), status.model);
    $('docs').hidden = !status.index;
    for (const note of document.querySelectorAll('.no-lookups')) {
      note.hidden = Boolean(status.index);
      say(note, status.index ? '' : 'This process trains the model and answers no lookups; `streaming serve` does.');
    }
    for (const part of document.querySelectorAll('.lookups')) {
      part.hidden = !status.index;
    }
    live.update(status, health);
    if (before !== answerable() && shown !== 'live') {
      show(false);
    }
  } catch (error) {
    live.fail(error, health);
  }
  tellHealth(health);
}

async function run() {
  for (;;) {
    if (!document.hidden) {
      await refresh();
    }
    await new Promise(done => setTimeout(done, shown === 'live' ? second : 5 * second));
  }
}

onUnlock(async () => {
  await refresh();
  show(false);
});
show(false);
run();
