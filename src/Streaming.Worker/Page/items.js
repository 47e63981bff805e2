import { $, address, element, replace, say, itemLink, titled, decimals, whole } from './dom.js';
import { get, lookup, post, Refusal } from './api.js';
import { widthsOf } from './served.js';
import { conditions, passing, Rules } from './rules.js';

const neighbours = 10;
const most = 50;
const rules = new Rules($('search'));
// A list is of the whole catalogue: a text that was typed does not narrow it.
$('search').addEventListener('formdata', ({ formData }) => formData.has('list') && formData.delete('search'));
let asking = new AbortController();

/** Shows what the address asks for: an item, or a list to choose from. */
export async function show(query, status) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  $('search-text').value = query.get('search') ?? '';
  try {
    if (status?.index) {
      await rules.show(query, signal);
    }
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
  mark(null);
  $('item').hidden = true;
  replace($('found'), []);
}

function tell(text, wrong = false) {
  say($('items-message'), text);
  $('items-message').classList.toggle('error', wrong);
}

async function showList(query, signal) {
  const text = query.get('search');
  const name = query.get('list') ?? (text ? 'search' : conditions(query).length ? 'random' : null);
  if (!name) {
    clear();
    tell('Search for an item, or look at some.');
    return;
  }

  const list = lists[name];
  if (!list) {
    clear();
    tell(`There is no list “${name}”; there are ${Object.keys(lists).join(', ')}.`, true);
    return;
  }

  const { items, said } = await list(query, signal);
  clear();
  tell(items.length || !conditions(query).length ? said(items.length) : 'No such item passes the filter.');
  mark(name);
  replace(
    $('found'),
    items.map(item => element('li', {}, itemLink(item), events(item))),
  );
}

/** Marks the button of the list that is shown. */
function mark(name) {
  for (const button of document.querySelectorAll('#search [name=list]')) {
    button.removeAttribute('aria-current');
    if (button.value === name) {
      button.setAttribute('aria-current', 'true');
    }
  }
}

const events = item => ('events' in item ? element('span', { className: 'score' }, `${whole(item.events)} events`) : null);

const lists = {
  search: async (query, signal) => {
    const text = query.get('search') ?? '';
    const { items } = await get(url('items', [['search', text]], query), signal);
    return { items, said: count => matches(count, text, query) };
  },
  popular,
  recent: async (query, signal) => {
    const { items } = await get(url('popular', [['recent', 'true']], query), signal);
    return { items, said: count => `The ${whole(count)} items with the most events of late${passing(query)}.` };
  },
  latest: async (query, signal) => {
    const { items } = await get(url('latest', [], query), signal);
    return { items, said: count => `The ${whole(count)} items that became known last${passing(query)}, the latest first.` };
  },
  random: async (query, signal) => {
    const seed = query.get('seed') ?? `${Math.floor(Math.random() * 2 ** 31)}`;
    if (!query.has('seed')) {
      // The link shows the same items to whoever opens it.
      query.set('seed', seed);
      history.replaceState(null, '', address(query));
    }
    const { items } = await get(url('items', [['seed', seed]], query), signal);
    return { items, said: count => `${whole(count)} items drawn at random (seed ${seed})${passing(query)}.` };
  },
};

const url = (path, parameters, query) => lookup(path, [['count', most], ...parameters, ...conditions(query)], query);

// Numbers of events are published with attributes; without them, what the model ranks first for everybody stands in.
async function popular(query, signal) {
  try {
    const { items } = await get(url('popular', [], query), signal);
    return { items, said: count => `The ${whole(count)} items with the most events since they became known${passing(query)}.` };
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 400 || conditions(query).length) {
      throw error;
    }
  }

  const { recommendations } = await post(url('recommendations', [], query), [], signal);
  return {
    items: recommendations,
    said: () => 'What a user without a history is recommended: the items that the model ranks first for everybody.',
  };
}

function matches(count, text, query) {
  return count === 0
    ? `No item matches “${text}”.`
    : count === 1
      ? `One item matches “${text}”${passing(query)}.`
      : `${whole(count)}${count === most ? ' or more' : ''} items match “${text}”${passing(query)}.`;
}

async function showItem(query, status, signal) {
  const id = query.get('item');
  const known = widthsOf(status, query);
  if (!known) {
    tell('Waiting for the server.');
    return;
  }

  const path = `items/${encodeURIComponent(id)}`;
  // Any width can be asked for, those between the model's too.
  const widths = [...new Set([...known, ...(query.get('width') ? [Number(query.get('width'))] : [])])].sort((a, b) => b - a);
  const [item, ...answers] = await Promise.all([
    get(lookup(path, { width: 1 }, query), signal),
    ...widths.map(width =>
      get(
        lookup(
          `${path}/neighbours`,
          [
            ['width', width],
            ['count', neighbours],
            ...(query.has('counts') ? [['counts', query.get('counts')]] : []),
            ...conditions(query),
          ],
          query,
        ),
        signal,
      ),
    ),
  ]);
  clear();
  tell('');
  say($('item-title'), titled(item));
  document.title = `${titled(item)} · Streaming`;
  say($('item-about'), `${item.title ? `${item.item}, ` : ''}encoded after training step ${whole(item.step)}${conditions(query).length ? '; neighbours that pass the filter' : ''}`);
  tellRanking(answers[0].ranking === 'fused', query);
  const full = new Set(answers[0].neighbours.map(near => near.item));
  replace(
    $('neighbours'),
    answers.map((answer, i) => column(answer, widths[i], i === 0, full)),
  );
  $('item').hidden = false;
}

/** Says how the items are ranked, and offers the other ranking where there is one. */
function tellRanking(isFused, query) {
  say(
    $('near-ranking'),
    isFused
      ? 'Ranked by the cosine of the first values of the vectors together with counts of what occurs with the item; the score is the sum of reciprocal ranks.'
      : 'Ranked by the cosine of the first values of the vectors.',
  );
  const other = $('near-other');
  other.hidden = !isFused && query.get('counts') !== 'false';
  other.href = address([...[...query].filter(([name]) => name !== 'counts'), ...(isFused ? [['counts', 'false']] : [])]);
  say(other, isFused ? 'Rank by the vector alone.' : 'Rank with counts.');
}

function column({ neighbours: found, ranking }, width, isFull, full) {
  const isFused = ranking === 'fused';
  const longest = isFused ? found[0]?.score : 1;
  const shared = found.filter(near => full.has(near.item)).length;
  return element(
    'div',
    {},
    element('h4', {}, `Width ${width}`),
    element('p', { className: 'muted' }, isFull ? 'the full width' : `${shared} of ${found.length} as at the full width`),
    element('ol', { className: 'near' }, ...found.map(near => entry(near, !isFull && full.has(near.item), score(near.score, longest, isFused ? 4 : 3)))),
  );
}

function entry(near, marked, shown) {
  const said = marked ? element('span', { className: 'unseen' }, ' (also at the full width)') : null;
  return element('li', { className: marked ? 'mark' : '' }, itemLink(near), said, shown);
}

function score(value, longest, digits) {
  const bar = element('span', { className: 'bar', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', Math.max(0, Math.min(1, value / longest)));
  return element('span', { className: 'score' }, decimals(value, digits), bar);
}
