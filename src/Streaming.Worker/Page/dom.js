// Elements are built from text only, never from markup: ids and titles come from producers.

export const $ = id => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made && key !== 'list') {
      made[key] = value;
    } else {
      made.setAttribute(key, value);
    }
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

/** Sets text where it differs, so that a screen reader is not told of the same again. */
export function say(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

export function replace(node, children) {
  node.replaceChildren(...children);
}

const words = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const known = value => value !== null && value !== undefined && Number.isFinite(value);

export const whole = value => (known(value) ? words.format(value) : '–');
export const compact = value => (known(value) ? (Math.abs(value) < 10000 ? words.format(value) : short.format(value)) : '–');
export const decimals = (value, digits) => (known(value) ? value.toFixed(digits) : '–');
export const duration = milliseconds =>
  !known(milliseconds) ? '–' : milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

export const titled = item => item.title ?? item.item;

/** A link within the page: it keeps the generation that the address names. */
export function address(parts) {
  const query = new URLSearchParams(parts);
  const generation = new URLSearchParams(location.search).get('generation');
  if (generation && !query.has('generation')) {
    query.set('generation', generation);
  }
  return `?${query}`;
}

/** A link to an item, with its id where a title stands for it. */
export function itemLink(item) {
  const href = address({ item: item.item });
  return item.title
    ? element('a', { href }, item.title, ' ', element('span', { className: 'id' }, item.item))
    : element('a', { href }, item.item);
}
