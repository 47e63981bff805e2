import { element, replace, address } from './dom.js';
import { get, lookup } from './api.js';

// The conditions of an address (filter=, any=, not=) as controls, one for each attribute of the index.
const kinds = ['filter', 'any', 'not'];

/** The conditions of an address as parameters of a lookup. */
export function conditions(query) {
  return kinds.flatMap(kind => query.getAll(kind).map(condition => [kind, condition]));
}

/** What a message about items adds where an address has conditions. */
export const passing = query => (conditions(query).length ? ', of those that pass the filter' : '');

/** The controls of a form. Conditions that no control can hold are kept, and shown with a link that removes each. */
export class Rules {
  constructor(form) {
    this.name = form.id;
    this.frame = form.querySelector('.rules');
    this.fields = form.querySelector('.rules .fields');
    this.kept = form.querySelector('.rules .kept');
    this.shown = null;
    this.read = [];
    form.addEventListener('formdata', ({ formData }) => {
      for (const value of this.read.map(read => read()).filter(Boolean)) {
        formData.append('filter', value);
      }
      for (const [kind, condition] of this.others ?? []) {
        formData.append(kind, condition);
      }
    });
  }

  /** Offers the attributes of the index, set to the conditions of an address. */
  async show(query, signal) {
    const { attributes } = await get(lookup('attributes', [], query), signal);
    const asked = conditions(query);
    const state = JSON.stringify([attributes, asked, location.search]);
    if (state !== this.shown) {
      this.shown = state;
      this.offer(attributes, asked, query);
    }
  }

  offer(attributes, asked, query) {
    const rest = [...asked];
    const take = field => {
      const place = rest.findIndex(([kind, condition]) => kind === 'filter' && condition.startsWith(`${field}:`));
      return place < 0 ? '' : rest.splice(place, 1)[0][1].slice(field.length + 1);
    };
    const controls = attributes.map(attribute => this.control(attribute, take(attribute.field)));
    this.read = controls.map(control => control.read);
    this.others = rest;
    replace(
      this.fields,
      controls.flatMap(control => control.nodes),
    );
    replace(
      this.kept,
      rest.map(([kind, condition]) => removal(kind, condition, query)),
    );
    this.frame.hidden = !attributes.length && !asked.length;
    this.frame.open = asked.length > 0;
    this.frame.querySelector('summary').textContent = asked.length
      ? `Filter: ${asked.map(([kind, condition]) => (kind === 'filter' ? condition : `${kind} ${condition}`)).join(', ')}`
      : 'Filter';
  }

  control(attribute, value) {
    const id = `${this.name}-rule-${attribute.field}`;
    return attribute.kind === 'number'
      ? range(attribute, id, value)
      : attribute.kind === 'boolean'
        ? choice(attribute, id, value)
        : texts(attribute, id, value);
  }
}

function removal(kind, condition, query) {
  const less = [...query].filter(([name, value]) => name !== kind || value !== condition);
  const said = kind === 'filter' ? condition : `${kind} ${condition}`;
  return element('li', {}, element('a', { href: address(less), 'aria-label': `Remove ${said}` }, `${said} ✕`));
}

const field = (id, name, ...controls) =>
  element('span', { className: 'field' }, element('label', { htmlFor: id }, name), ...controls);

function texts({ field: name, values }, id, value) {
  const input = element('input', { id, value, placeholder: 'any', autocomplete: 'off', title: 'Several values: a|b' });
  input.setAttribute('list', `${id}-values`);
  const known = values.map(one => element('option', { value: one.value }, `${one.items} items`));
  return {
    nodes: [field(id, name, input), element('datalist', { id: `${id}-values` }, ...known)],
    read: () => input.value.trim() && `${name}:${input.value.trim()}`,
  };
}

function choice({ field: name, values }, id, value) {
  const options = [...new Set([...values.map(one => one.value), ...(value ? [value] : [])])].sort().reverse();
  const select = element(
    'select',
    { id },
    element('option', { value: '' }, 'any'),
    ...options.map(one => element('option', { value: one }, one)),
  );
  select.value = value;
  return { nodes: [field(id, name, select)], read: () => select.value && `${name}:${select.value}` };
}

function range({ field: name, range: known }, id, value) {
  const [from, to] = value.includes('..') ? value.split('..') : [value, value];
  const bound = (suffix, at, placeholder) => {
    const input = element('input', { id: `${id}${suffix}`, type: 'number', step: 'any', value: at, placeholder: `${placeholder ?? ''}` });
    return input;
  };
  const low = bound('', from, known?.from);
  const high = bound('-to', to, known?.to);
  high.setAttribute('aria-label', `${name} to`);
  return {
    nodes: [field(id, `${name} from`, low, element('span', { 'aria-hidden': 'true' }, 'to'), high)],
    read: () => (low.value || high.value) && `${name}:${low.value}..${high.value}`,
  };
}
