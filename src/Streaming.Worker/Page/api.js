import { $, say } from './dom.js';

// A key that the server requires is asked for once, and kept for this tab alone.
const name = 'streaming-api-key';

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function answer(url, request = {}) {
  const key = sessionStorage.getItem(name);
  const headers = { ...request.headers, ...(key ? { 'X-Api-Key': key } : {}) };
  let response;
  let body;
  try {
    response = await fetch(url, { ...request, headers });
    body = await response.text();
  } catch (error) {
    if (error.name === 'AbortError') {
      throw error;
    }
    throw new Refusal(0, 'The server does not answer; this page tries again.');
  }

  try {
    body = JSON.parse(body);
  } catch {
    // Something between this page and the server answered in its own words.
    throw new Refusal(response.status, `The answer (${response.status}) is not of this server; this page tries again.`);
  }

  if (response.status === 401) {
    $('unlock').hidden = false;
    say($('key-message'), key ? 'The server refused this key.' : 'The server requires an API key. It is kept for this tab alone.');
  } else if (response.ok && url !== 'health/live') {
    // Health is open to all: it says nothing about the key.
    $('unlock').hidden = true;
  }

  if (!response.ok && !('parts' in body)) {
    throw new Refusal(response.status, sentence(body.detail ?? `The server answered ${response.status}.`));
  }

  return body;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}

/** The URL of a lookup that is answered from the generation that an address names. */
export function lookup(path, parameters, query) {
  const asked = new URLSearchParams(parameters);
  if (query.has('generation')) {
    asked.set('generation', query.get('generation'));
  }
  return asked.size ? `${path}?${asked}` : path;
}

export const get = (url, signal) => answer(url, { signal });
export const post = (url, body, signal) =>
  answer(url, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' }, signal });

export function onUnlock(again) {
  $('unlock').addEventListener('submit', event => {
    event.preventDefault();
    sessionStorage.setItem(name, $('key').value.trim());
    $('key').value = '';
    again();
  });
}
