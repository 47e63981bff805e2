import { $, element, replace, say, itemLink, titled, decimals, whole } from './dom.js';
import { get, post, Refusal } from './api.js';

const neighbours = 10;
const most = 50;
let asking = new AbortController();

/** Shows what the address asks for: an item, or a list to choose from. */
export async function show(query, status) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  $('search-text').value = query.get('search') ?? '';
  $('random').href = `?view=items&random=${Math.floor(Math.random() * 2 ** 31)}`;
  try {
    await (query.has('item') ? showItem(query, status, signal) : showList(query, signal));
  } catch (error) {
    if (error instanceof Refusal) {
      clear();
      tell(error.message, true);
    } else if (error.name !== 'AbortError') {
      throw error;
    }
  }
}

function clear() {
  $('item').hidden = true;
  replace($('found'), []);
}

function tell(text, wrong = false) {
  say($('items-message'), text);
  $('items-message').classList.toggle('error', wrong);
}

async function showList(query, signal) {
  const text = query.get('search');
  if (!text && !query.has('random') && !query.has('popular')) {
    clear();
    tell('Search for an item, or look at some.');
    return;
  }

  const { items, said } = await list(query, text, signal);
  clear();
  tell(said(items.length));
  replace(
    $('found'),
    items.map(item => element('li', {}, itemLink(item))),
  );
}

async function list(query, text, signal) {
  if (text) {
    const { items } = await get(`items?count=${most}&search=${encodeURIComponent(text)}`, signal);
    return { items, said: count => matches(count, text) };
  }

  if (query.has('popular')) {
    return popular(signal);
  }

  const seed = query.get('random');
  const { items } = await get(`items?count=${most}&seed=${encodeURIComponent(seed)}`, signal);
  return { items, said: count => `${whole(count)} items drawn at random (seed ${seed}).` };
}

// Numbers of events are published with attributes; without them, what the model ranks first for everybody stands in.
async function popular(signal) {
  try {
    const { items } = await get(`popular?count=${most}`, signal);
    return { items, said: count => `The ${whole(count)} items with the most events since they became known.` };
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 400) {
      throw error;
    }
  }

  const { recommendations } = await post(`recommendations?count=${most}`, [], signal);
  return {
    items: recommendations,
    said: () => 'What a user without a history is recommended: the items that the model ranks first for everybody.',
  };
}

function matches(count, text) {
  return count === 0
    ? `No item matches “${text}”.`
    : count === 1
      ? `One item matches “${text}”.`
      : `${whole(count)}${count === most ? ' or more' : ''} items match “${text}”.`;
}

async function showItem(query, status, signal) {
  const id = query.get('item');
  if (!status?.widths) {
    tell('Waiting for the server.');
    return;
  }

  const path = `items/${encodeURIComponent(id)}`;
  // Any width can be asked for, those between the model's too.
  const widths = [...new Set([...status.widths, ...(query.get('width') ? [Number(query.get('width'))] : [])])].sort((a, b) => b - a);
  const [item, ...answers] = await Promise.all([
    get(`${path}?width=1`, signal),
    ...widths.map(width => get(`${path}/neighbours?width=${width}&count=${neighbours}`, signal)),
  ]);
  clear();
  tell('');
  say($('item-title'), titled(item));
  document.title = `${titled(item)} · Streaming`;
  say($('item-about'), `${item.title ? `${item.item}, ` : ''}encoded after training step ${whole(item.step)}`);
  const full = new Set(answers[0].neighbours.map(near => near.item));
  replace(
    $('neighbours'),
    answers.map((answer, i) => column(answer, widths[i], i === 0, full)),
  );
  $('item').hidden = false;
}

function column({ neighbours: found }, width, isFull, full) {
  const shared = found.filter(near => full.has(near.item)).length;
  return element(
    'div',
    {},
    element('h4', {}, `Width ${width}`),
    element('p', { className: 'muted' }, isFull ? 'the full width' : `${shared} of ${found.length} as at the full width`),
    element('ol', { className: 'near' }, ...found.map(near => entry(near, !isFull && full.has(near.item)))),
  );
}

function entry(near, marked) {
  const said = marked ? element('span', { className: 'unseen' }, ' (also nearest at the full width)') : null;
  return element('li', { className: marked ? 'mark' : '' }, itemLink(near), said, score(near.score));
}

function score(value) {
  const bar = element('span', { className: 'bar', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', Math.max(0, Math.min(1, value)));
  return element('span', { className: 'score' }, decimals(value, 3), bar);
}
