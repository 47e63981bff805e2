import { $, element, replace, say, itemLink, decimals } from './dom.js';
import { get, lookup, post, Refusal } from './api.js';
import { conditions, Rules } from './rules.js';
import { widthsOf } from './served.js';

const count = 20;
const rules = new Rules($('ask'));
let asking = new AbortController();

/** Shows a user's history and recommendations, as the address asks. */
export async function show(query, status) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const user = query.get('user');
  $('user').value = user ?? '';
  offerWidths(widthsOf(status, query) ?? [], query.get('width'));
  try {
    if (status?.index) {
      await rules.show(query, signal);
    }
    if (user) {
      await showUser(user, query, status, signal);
    } else {
      $('answer').hidden = true;
      tell('Enter the id of a user to see the history and what is recommended.');
    }
  } catch (error) {
    if (error instanceof Refusal) {
      $('answer').hidden = true;
      tell(error.message, true);
    } else if (error.name !== 'AbortError') {
      throw error;
    }
  }
}

function tell(text, wrong = false) {
  say($('users-message'), text);
  $('users-message').classList.toggle('error', wrong);
}

function offerWidths(widths, asked) {
  replace(
    $('user-width'),
    [...widths].reverse().map((width, i) => element('option', { value: width }, `${width}${i === 0 ? ' (full)' : ''}`)),
  );
  if (widths.includes(Number(asked))) {
    $('user-width').value = asked;
  }
}

async function showUser(user, query, status, signal) {
  const width = query.get('width');
  const parameters = [['count', count], ...(width ? [['width', width]] : []), ...conditions(query)];
  const answer = await get(lookup(`users/${encodeURIComponent(user)}/recommendations`, parameters, query), signal);
  tell('');
  document.title = `${user} · Streaming`;
  $('answer').hidden = false;
  const newest = [...answer.history].reverse();
  say(
    $('no-history'),
    newest.length
      ? `The ${newest.length} newest items that the model uses, newest first.`
      : 'No history is published for this user: these are the recommendations of a new user.',
  );
  replace(
    $('history'),
    newest.map(item => element('li', {}, itemLink(item))),
  );
  say(
    $('ranking'),
    `At width ${answer.width}, generation ${answer.generation}${group(answer, query, status)}, after step ${answer.step}${conditions(query).length ? ', only items that pass the filter' : ''}. ${
      answer.ranking === 'fused'
        ? 'Ranked by the vector together with counts of what others had next; the score is the sum of reciprocal ranks.'
        : 'Ranked by the vector; the score is the cosine with the user’s vector, or their inner product.'
    }${newest.length ? ' “Because of” names the item of the history that is nearest by cosine at this width.' : ''}`,
  );
  draw(answer.recommendations, null);
  try {
    draw(answer.recommendations, await reasons(newest, answer, query, signal));
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    tell(`The reasons cannot be shown: ${error.message}`, true);
  }
}

/** Says to which side of a trial a user belongs, where the address does not choose one. */
function group(answer, query, status) {
  return !status?.trial || query.has('generation')
    ? ''
    : answer.generation === status.trial.generation
      ? ' (a user of the trial)'
      : ' (not a user of the trial)';
}

function draw(items, because) {
  replace(
    $('recommendations'),
    items.map(item =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, itemLink(item)),
        element('td', {}, decimals(item.score, 4)),
        element('td', { className: 'text' }, ...reason(because?.get(item.item))),
      ),
    ),
  );
}

function reason(found) {
  return found ? [itemLink(found.item), ` (cosine ${decimals(found.cosine, 2)})`] : ['–'];
}

/** The item of the history that is nearest to each recommendation, by cosine at the answer's width. */
async function reasons(history, answer, query, signal) {
  if (!history.length || !answer.recommendations.length) {
    return null;
  }

  const ids = [...new Set([...history, ...answer.recommendations].map(item => item.item))];
  const { items } = await post(lookup('items', { width: answer.width, generation: answer.generation }, query), ids, signal);
  const unit = new Map(items.map(item => [item.item, normalise(item.vector)]));
  return new Map(answer.recommendations.filter(item => unit.has(item.item)).map(item => [item.item, nearest(unit, item.item, history)]));
}

function nearest(unit, id, history) {
  const vector = unit.get(id);
  let best = null;
  for (const item of history) {
    const other = unit.get(item.item);
    if (other) {
      const cosine = vector.reduce((sum, value, i) => sum + value * other[i], 0);
      if (!best || cosine > best.cosine) {
        best = { item, cosine };
      }
    }
  }
  return best;
}

function normalise(vector) {
  const length = Math.hypot(...vector) || 1;
  return vector.map(value => value / length);
}
