// What's on near somebody: groups by postcode, with menus, a card for each group, its dates and its calendar.
//
// It needs nothing but the API. To put it on another site, copy the three files there and write the API's address into the
// page. The types are made of the API's document; see tests/contract/typescript.sh.
// @ts-check

/** @typedef {import('./schema.js').components['schemas']} Schemas */
/** @typedef {Schemas['SeriesCard']} Card */
/** @typedef {Schemas['Series']} Series */
/** @typedef {Schemas['Session']} Session */

const ZONE = 'Europe/London';
const WORDS = {
  in_person: 'In person', online: 'Online', hybrid: 'In person or online',
  drop_in: 'Just come along.', bookable: 'Please book a place.', referral_only: 'An advisor can refer you.',
};

/** @template {HTMLElement} T @param {string} id @param {new () => T} type @returns {T} */
function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${id}.`);
  return found;
}

const form = element('search', HTMLFormElement);
const status = element('status', HTMLElement);
const cards = element('cards', HTMLUListElement);
const more = element('more', HTMLButtonElement);
const results = element('results', HTMLElement);
const group = element('group', HTMLElement);
const title = element('group-title', HTMLElement);
const nearProblem = element('near-problem', HTMLElement);

const meta = document.querySelector('meta[name="life-rooms-api"]');
const api = (meta instanceof HTMLMetaElement && meta.content) || location.origin;

/** What the API said was wrong. */
class Problem extends Error {
  /** @param {Schemas['Problem']} problem */
  constructor(problem) {
    super(problem.detail);
    this.faults = problem.errors ?? [];
  }
}

/** @param {string} path @returns {Promise<any>} */
async function get(path) {
  const answer = await fetch(new URL(path, api), { headers: { accept: 'application/json' } });
  const body = await answer.json();
  if (!answer.ok) throw new Problem(body);
  return body;
}

/** What is asked for, without what is empty. */
function wanted() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string' && value.trim()) query.append(name, value.trim());
  }
  return query;
}

/**
 * An element with a text or with children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {string | (Node | string | null)[]} [content] @param {string} [kind]
 * @returns {HTMLElementTagNameMap[K]}
 */
function make(name, content = [], kind) {
  const made = document.createElement(name);
  if (typeof content === 'string') made.textContent = content;
  else made.append(...content.filter(child => child !== null));
  if (kind) made.className = kind;
  return made;
}

/** @param {string} instant @param {string} zone */
function when(instant, zone) {
  const day = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', timeZone: zone });
  const time = new Intl.DateTimeFormat('en-GB', { hour: 'numeric', minute: '2-digit', hour12: true, timeZone: zone });
  const date = new Date(instant);
  return `${day.format(date)}, ${time.format(date)}`;
}

/** @param {Pick<Series, 'venue' | 'delivery'>} what */
function where(what) {
  const place = what.delivery === 'online' ? null : what.venue;
  if (!place) return WORDS[what.delivery];
  const name = place.town && !place.name.includes(place.town) ? `${place.name}, ${place.town}` : place.name;
  return what.delivery === 'hybrid' ? `${name}, or online` : name;
}

/** @param {{ seats_left?: number | null, online_seats_left?: number | null, status?: string }} session */
function seats(session) {
  if (session.status === 'cancelled') return 'Called off';
  const all = [session.seats_left, session.online_seats_left].filter(left => typeof left === 'number');
  if (!all.length) return '';
  const left = all.reduce((sum, some) => sum + some, 0);
  return left === 0 ? 'Full: you can wait for a place' : left === 1 ? '1 place left' : `${left} places left`;
}

/** @param {Series} series */
function price(series) {
  if (series.is_free) return 'Free';
  const pounds = (series.price_pence ?? 0) / 100;
  const amount = new Intl.NumberFormat('en-GB', { style: 'currency', currency: 'GBP' }).format(pounds);
  return series.price_note ? `${amount}: ${series.price_note}` : amount;
}

/** @param {number | null | undefined} kilometres */
function away(kilometres) {
  if (typeof kilometres !== 'number') return '';
  return kilometres < 0.5 ? 'less than half a km away' : `${kilometres.toFixed(1)} km away`;
}

/** @param {Card} series */
function card(series) {
  const next = series.next_session;
  const open = make('button', ['Dates and place', make('span', ` of ${series.title}`, 'unseen')]);
  open.type = 'button';
  open.addEventListener('click', () => { location.hash = series.id; });
  const item = make('li', [
    picture(series),
    make('h2', series.title),
    next ? make('p', when(next.starts_at, next.time_zone), 'when') : null,
    make('p', [where(series), away(series.distance_km)].filter(Boolean).join(' · ')),
    make('p', [price(series), next ? seats(next) : ''].filter(Boolean).join(' · ')),
    open,
  ]);
  item.dataset.id = series.id;
  return item;
}

/** @param {Series} series */
function picture(series) {
  if (!series.image) return null;
  const image = make('img');
  Object.assign(image, { src: series.image.url, alt: series.image.alt, loading: 'lazy' });
  return image;
}

/** The address of the next page. @type {string | null} */
let next = null;
/** Which search is the newest: an answer to an older one isn't shown. */
let newest = 0;

/** @param {string} path @param {boolean} first */
async function show(path, first) {
  const search = ++newest;
  status.textContent = 'Looking for groups…';
  nearProblem.textContent = '';
  try {
    const page = await get(path);
    if (search !== newest) return;
    if (first) cards.replaceChildren();
    const added = page.items.map(card);
    cards.append(...added);
    next = page.next;
    more.hidden = next === null;
    const count = cards.childElementCount;
    status.textContent = count === 0 ? 'No groups found. Try another day, or another word.'
      : `${count} ${count === 1 ? 'group' : 'groups'} shown${next ? ', and there are more' : ''}.`;
    if (!first) added[0]?.querySelector('button')?.focus();
  } catch (error) {
    if (search === newest) complain(error);
  }
}

/** @param {unknown} error */
function complain(error) {
  const place = error instanceof Problem && error.faults.find(fault => fault.parameter === 'near');
  if (place) {
    nearProblem.textContent = place.detail;
    status.textContent = 'We don’t know that place.';
    form.elements.namedItem('near') instanceof HTMLElement && element('near', HTMLInputElement).focus();
  } else {
    status.textContent = error instanceof Problem ? error.message : 'We can’t reach the service. Please try again.';
  }
}

function search() {
  const query = wanted();
  query.set('sort', query.has('near') ? 'distance' : 'next');
  query.set('limit', '24');
  menus();
  return show(`/v1/session-series?${query}`, true);
}

/** Fills the menus with what there is, and how many groups. A choice that has become empty stays. */
async function menus() {
  const query = wanted();
  query.set('by', 'topic,weekday,delivery');
  /** @type {[Schemas['Facets'] | null, Map<string, string>]} */
  const [facets, topics] = await Promise.all([get(`/v1/sessions/facets?${query}`), labels()]).catch(() => [null, new Map()]);
  // Without their numbers, the menus stay as they are.
  if (!facets) return;
  /** @type {[string, (value: string) => string][]} */
  const all = [
    ['topic', value => topics.get(value) ?? value.replaceAll('_', ' ')],
    ['weekday', value => value.charAt(0).toUpperCase() + value.slice(1)],
    ['delivery', value => WORDS[/** @type {'online'} */ (value)]],
  ];
  for (const [name, label] of all) {
    const menu = element(name, HTMLSelectElement);
    const chosen = menu.value;
    const choices = facets.items.find(facet => facet.by === name)?.choices ?? [];
    const options = choices.map(({ value, series }) => new Option(`${label(value)} (${series})`, value));
    if (chosen && !options.some(option => option.value === chosen)) options.push(new Option(`${label(chosen)} (0)`, chosen));
    const [any] = menu.options;
    menu.replaceChildren(...(any ? [any] : []), ...options);
    menu.value = chosen;
  }
}

/** @type {Promise<Map<string, string>> | null} */
let known = null;

/** The names of topics, by their codes. */
function labels() {
  known ??= (async () => {
    const names = new Map();
    for (let path = '/v1/topics?limit=100'; path;) {
      const page = await get(path);
      for (const topic of page.items) names.set(topic.code, topic.label);
      path = page.next;
    }
    return names;
  })();
  return known;
}

/** Shows the group that the address names behind its #, or the list. */
async function route() {
  const id = location.hash.slice(1);
  results.hidden = form.hidden = status.hidden = Boolean(id);
  group.hidden = !id;
  if (!id) {
    document.title = 'What’s on near you';
    return;
  }
  const body = element('group-body', HTMLElement);
  title.textContent = 'One moment…';
  body.replaceChildren();
  try {
    const [series, dates] = await Promise.all([
      get(`/v1/session-series/${encodeURIComponent(id)}`),
      get(`/v1/sessions?series_id=${encodeURIComponent(id)}&limit=12`),
    ]);
    title.textContent = document.title = series.title;
    body.replaceChildren(...details(series, dates.items));
  } catch (error) {
    title.textContent = 'We can’t show this group';
    body.replaceChildren(make('p', error instanceof Problem ? error.message : 'We can’t reach the service.'));
  }
  title.focus();
}

/** @param {Series} series @param {Session[]} dates @returns {Node[]} */
function details(series, dates) {
  const facts = make('dl');
  /** @param {string} name @param {(Node | string)[] | string | null | undefined} value */
  const fact = (name, value) => {
    if (!value || !value.length) return;
    const held = make('dd');
    held.append(...(typeof value === 'string' ? [value] : value));
    facts.append(make('dt', name), held);
  };
  const age = [series.min_age && `from ${series.min_age}`, series.max_age && `to ${series.max_age}`].filter(Boolean).join(' ');
  fact('Where', where(series));
  if (series.delivery !== 'online') fact('Postcode', series.venue?.postcode);
  fact('Cost', price(series));
  fact('Ages', age);
  fact('What to bring', series.what_to_bring);
  fact('How to join', WORDS[series.booking_policy]);
  fact('Run by', series.partner?.name);
  fact('Good to know', series.accessibility.map(code => code.replaceAll('_', ' ')).join(', '));
  const { email, phone } = series.public_contact ?? {};
  const ways = [email ? link(`mailto:${email}`, email) : null, email && phone ? ' or ' : null, phone ? link(`tel:${phone}`, phone) : null];
  fact('Ask', ways.filter(way => way !== null));
  const list = make('ul', dates.map(session => {
    const said = [when(session.starts_at, session.time_zone), seats(session)].filter(Boolean).join(' · ');
    return make('li', said, session.status === 'cancelled' ? 'off' : undefined);
  }));
  const calendar = new URL(`/v1/session-series/${series.id}/calendar.ics`, api);
  return [
    ...[picture(series), series.description ? make('p', series.description) : null].filter(part => part !== null),
    facts,
    make('h3', 'Next dates'),
    dates.length ? list : make('p', 'There are no dates at the moment.'),
    make('p', [link(calendar.href, 'Add the dates to your calendar')]),
  ];
}

/** @param {string} address @param {string} text */
function link(address, text) {
  const made = make('a', text);
  made.href = address;
  return made;
}

form.addEventListener('submit', event => {
  event.preventDefault();
  search();
});
form.addEventListener('change', event => {
  // A postcode that is still being typed is sent with the button.
  if (event.target instanceof HTMLSelectElement || event.target instanceof HTMLInputElement && event.target.type === 'checkbox') search();
});
more.addEventListener('click', () => { if (next) show(next, false); });
element('back', HTMLButtonElement).addEventListener('click', () => {
  const opened = location.hash.slice(1);
  history.pushState(null, '', location.pathname + location.search);
  route();
  const position = [...cards.querySelectorAll('li')].find(item => item.dataset.id === opened);
  (position?.querySelector('button') ?? results).focus();
});
addEventListener('hashchange', route);

search();
route();
