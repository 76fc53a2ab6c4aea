// What the wire did: the list of PDUs with every field of one of them, the dialogue, the menu. `mount` fills the panel.

import { get, stream } from '../api.js'
import { el } from '../dom.js'
import { addTexts, onLanguage, t, translate } from '../i18n/text.js'
import { detail } from './detail.js'
import en from './en.js'
import { isProblem, List } from './list.js'
import ru from './ru.js'
import { DialogueView, MenuView } from './views.js'

const KEPT = 2000
const LOADED = 300
const STYLE = '/static/trace/trace.css'

addTexts('en', en)
addTexts('ru', ru)

/** Fill `section`; harmless when it is filled already. */
export function mount(section) {
  if (section.querySelector('.trace')) return
  if (!document.querySelector(`link[href="${STYLE}"]`)) document.head.append(el('link', { rel: 'stylesheet', href: STYLE }))
  const trace = new Trace()
  section.append(trace.element)
  trace.start()
}

class Trace {
  #pdus = []
  #last = 0
  #paused = false
  #waiting = []
  #phone = ''
  #latest = ''
  #known = new Set()
  #open = null
  #asked = 0

  constructor() {
    this.list = new List((number) => this.open(number))
    this.dialogue = new DialogueView((number) => this.#openFromDiagram(number))
    this.menu = new MenuView()
    this.pane = el('div', { class: 'trace-pane', 'aria-live': 'off' }, el('p', { class: 'trace-empty', t: 'trace.pick' }))
    this.state = el('p', { class: 'trace-state', role: 'status' })
    this.pdus = el('div', { class: 'trace-pdus' }, this.list.element, this.pane)
    this.views = { list: this.pdus, dialogue: this.dialogue.element, menu: this.menu.element }
    this.element = el('div', { class: 'trace' }, el('h2', { t: 'trace.title' }), this.#toolbar(), this.#tabs(), this.state, Object.values(this.views))
    this.show('list')
    onLanguage(() => this.#onLanguage())
  }

  start() {
    stream('/api/trace/stream', (event) => this.#receive(event), {
      prepare: () => this.#load(),
      onState: (state) => { this.state.textContent = state === 'open' ? '' : t('trace.waiting') },
    })
  }

  // --- the tools ----------------------------------------------------------------------------------------------

  #toolbar() {
    this.numbers = el('datalist', { id: 'trace-numbers' })
    this.phone = el('input', { id: 'trace-phone', inputmode: 'tel', autocomplete: 'off', maxlength: 16, list: 'trace-numbers', tHint: 'trace.every_phone', 'data-role': 'filter-phone', on: { input: () => this.#filter() } })
    this.command = el('select', { id: 'trace-command', 'data-role': 'filter-command', on: { change: () => this.#filter() } }, el('option', { value: '', t: 'trace.every_command' }))
    this.problems = el('input', { type: 'checkbox', 'data-role': 'filter-problems', on: { change: () => this.#filter() } })
    this.pause = el('button', { type: 'button', 'data-role': 'pause', 'aria-pressed': 'false', on: { click: () => this.#togglePause() } }, t('trace.pause'))
    this.transcript = el('button', { type: 'button', t: 'trace.transcript', disabled: true, 'data-role': 'transcript', on: { click: () => this.#transcript() } })
    return el(
      'div',
      { class: 'trace-tools' },
      el('label', { for: 'trace-phone', t: 'trace.phone' }),
      this.phone,
      this.numbers,
      el('label', { for: 'trace-command', t: 'trace.command' }),
      this.command,
      el('label', { class: 'trace-check' }, this.problems, el('span', { t: 'trace.problems' })),
      el(
        'span',
        { class: 'trace-deeds' },
        this.pause,
        el('button', { type: 'button', t: 'trace.pcap', 'data-role': 'pcap', on: { click: () => this.#pcap() } }),
        this.transcript,
      ),
    )
  }

  #tabs() {
    this.tabs = Object.keys(this.views).map((name) => el('button', { type: 'button', 'data-view': name, t: `trace.view_${name}`, on: { click: () => this.show(name) } }))
    return el('div', { class: 'trace-tabs', role: 'group', tLabel: 'trace.view' }, this.tabs)
  }

  show(name) {
    for (const [key, view] of Object.entries(this.views)) view.hidden = key !== name
    for (const tab of this.tabs) tab.setAttribute('aria-pressed', String(tab.dataset.view === name))
    this.dialogue.wake()
    this.menu.wake()
  }

  #onLanguage() {
    translate(this.element)
    this.#showPause()
    this.#filter()
    if (this.#open) this.#showDetail(this.#open)
    this.dialogue.wake()
    this.menu.wake()
  }

  // --- PDUs come in -------------------------------------------------------------------------------------------

  /** The newest, before the stream begins; after a restart of the simulator the numbers begin anew. */
  async #load() {
    const page = await get(`/api/trace?limit=${LOADED}`)
    if (page.last < this.#last) {
      this.#pdus = []
      this.#waiting = []
      this.#last = 0
    }
    const fresh = page.pdus.filter((pdu) => pdu.number > this.#last)
    this.#last = page.last
    fresh.forEach((pdu) => this.#keep(pdu))
    this.#filter()
    return page.last
  }

  #receive(event) {
    if (event.kind === 'missed') {
      this.list.addGap()
      return
    }
    if (event.number <= this.#last) return
    this.#last = event.number
    if (this.#paused) {
      this.#waiting.push(event)
      if (this.#waiting.length > KEPT) this.#waiting.shift()
      this.#showPause()
      return
    }
    this.#keep(event)
    if (this.#fits(event)) this.list.add(event)
    this.#wakeViews(event)
  }

  #keep(pdu) {
    this.#pdus.push(pdu)
    if (this.#pdus.length > KEPT) this.#pdus.shift()
    if (pdu.answers) this.#link(pdu)
    if (pdu.msisdn && /^\d{3,15}$/.test(pdu.msisdn)) this.#learnPhone(pdu.msisdn)
    if (![...this.command.options].some((option) => option.value === pdu.command)) {
      this.command.append(el('option', { value: pdu.command }, pdu.command))
    }
  }

  #link(response) {
    const request = this.#pdus.findLast((pdu) => pdu.number === response.answers)
    if (request) request.answered_by = response.number
  }

  #learnPhone(msisdn) {
    this.#latest = msisdn
    if (this.#known.has(msisdn)) return
    this.#known.add(msisdn)
    this.numbers.append(el('option', { value: msisdn }))
  }

  /** The phone that the drawings are about: never one that nobody has seen, such as half of a number being typed. */
  get #viewed() {
    if (!this.#phone) return this.#latest
    return this.#known.has(this.#phone) ? this.#phone : ''
  }

  #wakeViews(pdu) {
    const msisdn = this.#viewed
    this.transcript.disabled = !msisdn
    this.dialogue.of(msisdn)
    this.menu.of(msisdn)
    if (!pdu || pdu.msisdn !== msisdn) return
    this.dialogue.wake()
    this.menu.wake()
  }

  // --- filter and pause ---------------------------------------------------------------------------------------

  #fits(pdu) {
    return (
      (!this.#phone || pdu.msisdn === this.#phone) &&
      (!this.command.value || pdu.command === this.command.value) &&
      (!this.problems.checked || isProblem(pdu))
    )
  }

  #filter() {
    const digits = this.phone.value.replace(/[\s+-]/g, '')
    this.#phone = /^\d{3,15}$/.test(digits) ? digits : ''
    const filtered = Boolean(this.#phone || this.command.value || this.problems.checked)
    this.list.show(this.#pdus.filter((pdu) => this.#fits(pdu)), { filtered })
    if (this.#open) this.list.mark(this.#open.number, this.#open.answers ?? this.#open.answered_by)
    this.#wakeViews()
  }

  #togglePause() {
    this.#paused = !this.#paused
    const waited = this.#waiting
    this.#waiting = []
    this.#showPause()
    if (this.#paused) return
    waited.forEach((pdu) => this.#keep(pdu))
    this.#filter()
    this.dialogue.wake()
    this.menu.wake()
  }

  #showPause() {
    const count = this.#waiting.length
    const key = this.#paused ? (count ? 'trace.resume_new' : 'trace.resume') : 'trace.pause'
    this.pause.textContent = t(key, { count })
    this.pause.setAttribute('aria-pressed', String(this.#paused))
  }

  // --- one PDU ------------------------------------------------------------------------------------------------

  async open(number) {
    const asked = ++this.#asked
    try {
      const pdu = await get(`/api/trace/${number}`)
      if (asked === this.#asked) this.#showDetail(pdu)
    } catch (problem) {
      const said = problem.status === 404 ? t('trace.gone') : t('trace.failed', { reason: problem.message })
      this.pane.replaceChildren(el('p', { class: 'trace-empty', role: 'alert' }, said))
    }
  }

  #showDetail(pdu) {
    this.#open = pdu
    this.list.mark(pdu.number, pdu.answers ?? pdu.answered_by)
    const shown = detail(pdu, { go: (number) => this.#go(number), close: () => this.#close(), copy })
    this.pane.replaceChildren(shown)
    if (this.pane.offsetTop > this.list.element.offsetTop) shown.scrollIntoView({ block: 'nearest' })
  }

  async #go(number) {
    await this.open(number)
    this.list.focus(number)
  }

  #close() {
    const number = this.#open?.number
    this.#open = null
    this.pane.replaceChildren(el('p', { class: 'trace-empty', t: 'trace.pick' }))
    this.list.mark(0, 0)
    this.list.focus(number)
  }

  async #openFromDiagram(number) {
    this.show('list')
    await this.#go(number)
  }

  // --- to take away -------------------------------------------------------------------------------------------

  #pcap() {
    const query = this.#phone ? `?msisdn=${this.#phone}` : ''
    this.#download(`/api/trace.pcap${query}`, `starpound${this.#phone && `-${this.#phone}`}.pcap`)
  }

  #transcript() {
    const msisdn = this.#viewed
    this.#download(`/api/phones/${msisdn}/transcript`, `${msisdn}.ussd`)
  }

  async #download(path, name) {
    try {
      const token = sessionStorage.getItem('starpound.token')
      const answer = await fetch(path, { headers: token ? { Authorization: `Bearer ${token}` } : {} })
      if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `status ${answer.status}`)
      const url = URL.createObjectURL(await answer.blob())
      el('a', { href: url, download: name }).click()
      setTimeout(() => URL.revokeObjectURL(url), 1000)
      this.state.textContent = ''
    } catch (problem) {
      this.state.textContent = t('trace.failed', { reason: problem.message })
    }
  }
}

/** Put a text on the clipboard, and say on the button whether that went well. */
async function copy(button, text) {
  const said = await navigator.clipboard.writeText(text).then(() => 'trace.copied', () => 'trace.copy_failed')
  button.textContent = t(said)
  setTimeout(() => { button.textContent = t('trace.copy_hex') }, 1500)
}
