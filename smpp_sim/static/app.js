// The page: phones on the table, panels beside them, and what holds for all.

import * as api from './api.js'
import { mountBook } from './book/book.js'
import { el } from './dom.js'
import { addTexts, language, LANGUAGES, onLanguage, setLanguage, t, translate } from './i18n/text.js'
import { mountMail } from './mail/mail.js'
import { recall, remember } from './memory.js'
import { Handset, latestHandset } from './phone/handset.js'
import { worded } from './phone/wording.js'

const TICK_MS = 5000
const LINKS_MS = 3000
/** As many as an address may put on the table at once. */
const MOST_PHONES = 50
const PANELS = ['book', 'mail', 'trace']
const THEMES = ['auto', 'light', 'dark']
const MSISDN = /^\+?([0-9]{3,15})$/

const by = (id) => document.getElementById(id)
const handsets = new Map()
let book = []
let renderBook = () => {}

// --- phones ------------------------------------------------------------------------------------------------------

function open(msisdn) {
  if (!handsets.has(msisdn)) {
    const entry = book.find((one) => one.msisdn === msisdn)
    const handset = new Handset(msisdn, entry, { close: () => close(msisdn), unread: renderTitle })
    handsets.set(msisdn, handset)
    by('row').append(handset.element)
    phonesChanged()
  }
  return handsets.get(msisdn)
}

function close(msisdn) {
  const next = handsets.get(msisdn).element.nextElementSibling ?? handsets.get(msisdn).element.previousElementSibling
  handsets.get(msisdn).remove()
  handsets.delete(msisdn)
  phonesChanged()
  ;(next?.querySelector('[data-role=number]') ?? by('add-number')).focus()
}

function phonesChanged() {
  remember('phones', [...handsets.keys()])
  renderBook()
  renderTitle()
}

function toggle(msisdn) {
  if (handsets.has(msisdn)) return close(msisdn)
  open(msisdn).element.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}

/** Those in the address (`?phones=79260000001,79260000002`), those of last time, or the first in the book. */
function firstPhones() {
  const asked = new URLSearchParams(location.search).get('phones')
  const wanted = asked ? asked.split(',') : recall('phones', null)
  const known = (wanted ?? []).slice(0, MOST_PHONES).map((one) => MSISDN.exec(String(one).trim())?.[1]).filter(Boolean)
  if (known.length || wanted?.length === 0) return known
  const first = book.find((one) => !one.note) ?? book[0]
  return [first?.msisdn ?? '79260000001']
}

function addPhone(event) {
  event.preventDefault()
  const field = by('add-number')
  const typed = field.value.trim().replaceAll(/[\s()-]/g, '')
  const found = MSISDN.exec(typed)
  by('add-problem').textContent = found ? '' : t('phone.no_number')
  field.setAttribute('aria-invalid', String(!found))
  if (!found) return field.focus()
  field.value = ''
  const handset = open(found[1])
  handset.element.scrollIntoView({ block: 'nearest' })
  handset.number.focus({ preventScroll: true })
}

/** Digits that are typed nowhere go to the phone that was used last. */
function typedAnywhere(event) {
  if (document.activeElement === document.body && event.target === document.body) latestHandset()?.key(event)
}

function renderTitle() {
  const unread = [...handsets.values()].reduce((sum, one) => sum + one.phone.unread(), 0)
  document.title = unread ? `(${unread}) starpound` : 'starpound'
}

// --- panels ------------------------------------------------------------------------------------------------------

let traceMounted = false

function showPanel(name) {
  for (const panel of PANELS) {
    by(panel).hidden = panel !== name
    document.querySelector(`[data-panel=${panel}]`).setAttribute('aria-expanded', String(panel === name))
  }
  document.body.dataset.beside = name ?? ''
  remember('panel', name)
  if (name === 'trace') mountTrace()
}

function pressPanel(event) {
  const { panel } = event.currentTarget.dataset
  const opening = by(panel).hidden
  showPanel(opening ? panel : null)
  if (!opening) return
  by(panel).focus({ preventScroll: true })
  by(panel).scrollIntoView({ block: 'nearest' })
}

async function mountTrace() {
  if (traceMounted) return
  traceMounted = true
  try {
    const trace = await import('./trace/trace.js')
    await Promise.all(LANGUAGES.map(traceTexts))
    await trace.mount(by('trace'), { api, t, language, onLanguage })
    translate(by('trace'))
  } catch (problem) {
    console.warn('no trace:', problem)
    traceMounted = false
    by('trace').replaceChildren(el('h2', { t: 'page.trace' }), el('p', { class: 'empty', t: 'page.no_trace' }))
  }
}

async function traceTexts(code) {
  const found = await import(`./trace/${code}.js`).catch(() => null)
  if (found) addTexts(code, found.default)
}

// --- the whole page ----------------------------------------------------------------------------------------------

function applyTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

function renderLooks() {
  const theme = recall('theme', 'auto')
  const themes = { auto: 'page.theme_auto', light: 'page.theme_light', dark: 'page.theme_dark' }
  by('theme').textContent = t(themes[theme] ?? themes.auto)
  by('theme').setAttribute('aria-label', t('page.theme', { theme: t(themes[theme] ?? themes.auto) }))
  by('language').textContent = language() === 'ru' ? 'English' : 'Русский'
  by('language').lang = language() === 'ru' ? 'en' : 'ru'
}

function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(recall('theme', 'auto')) + 1) % THEMES.length]
  remember('theme', theme)
  applyTheme(theme)
  renderLooks()
}

let bound = null

async function lookAtLinks() {
  if (document.hidden) return
  try {
    bound = (await api.get('/api/links')).links
  } catch (problem) {
    bound = problem.message
  }
  renderLinks()
}

function renderLinks() {
  const names = Array.isArray(bound) ? [...new Set(bound.map((link) => link.system_id))] : []
  const told = { good: () => t('page.bound', { names: names.join(', ') }), warn: () => t('page.nobody_bound'), bad: () => worded(String(bound)) }
  const how = !Array.isArray(bound) ? 'bad' : names.length ? 'good' : 'warn'
  const sentence = bound === null ? '' : told[how]()
  by('links').dataset.how = how
  if (by('links').textContent !== sentence) by('links').textContent = sentence
}

let tokenGiven = null

function askForToken(wasWrong) {
  by('token-problem').textContent = wasWrong ? t('token.wrong') : ''
  by('token').showModal()
  return new Promise((resolve) => { tokenGiven = resolve })
}

function giveToken(event) {
  event.preventDefault()
  const give = tokenGiven
  tokenGiven = null
  by('token').close()
  give?.(by('token-field').value)
  by('token-field').value = ''
}

/** Browsers let Escape close any dialog; without a token there is nothing behind it. */
function tokenClosed() {
  if (tokenGiven) by('token').showModal()
}

async function start() {
  applyTheme(recall('theme', 'auto'))
  translate(document)
  renderLooks()
  api.takeTokenFromAddress()
  api.onTokenWanted(askForToken)
  by('token-form').addEventListener('submit', giveToken)
  by('token').addEventListener('close', tokenClosed)
  by('theme').addEventListener('click', nextTheme)
  by('language').addEventListener('click', () => setLanguage(language() === 'ru' ? 'en' : 'ru'))
  by('add').addEventListener('submit', addPhone)
  document.addEventListener('keydown', typedAnywhere)
  for (const button of document.querySelectorAll('[data-panel]')) button.addEventListener('click', pressPanel)
  onLanguage(() => { renderLooks(); renderLinks() })
  await readBook()
  firstPhones().forEach(open)
  if (new URLSearchParams(location.search).has('phones')) history.replaceState(null, '', location.pathname)
  const panel = recall('panel', matchMedia('(min-width: 70rem)').matches ? 'book' : null)
  showPanel(PANELS.includes(panel) ? panel : null)
  mountMail(by('mail'), { get: api.get, count: mailCount })
  setInterval(() => handsets.forEach((handset) => handset.tick()), TICK_MS)
  lookAtLinks()
  setInterval(lookAtLinks, LINKS_MS)
}

async function readBook() {
  book = await api.get('/api/book').then((found) => found.subscribers, () => [])
  by('numbers').replaceChildren(...book.map(({ msisdn, name }) => el('option', { value: msisdn }, name)))
  renderBook = mountBook(by('book'), { subscribers: book, toggle, isOpen: (msisdn) => handsets.has(msisdn) })
}

function mailCount(unread) {
  by('mail-count').hidden = !unread
  by('mail-count').textContent = unread
  by('mail-count').setAttribute('aria-label', t('mail.unread', { count: unread }))
}

start()
