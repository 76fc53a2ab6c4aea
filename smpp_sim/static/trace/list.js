// The list of PDUs: one line each, the newest at the end, in view as long as nobody scrolls away from it.

import { el } from '../dom.js'
import { t } from '../i18n/text.js'

const ROWS = 500
/** What comes within this time is drawn at once: to lay out the list for each PDU would be too slow for a load. */
const TOGETHER_MS = 40
const ARROWS = { in: '→', out: '←' }

/** Local time with milliseconds. */
export function time(at) {
  const when = new Date(at * 1000)
  const two = (number) => String(number).padStart(2, '0')
  const ms = String(when.getMilliseconds()).padStart(3, '0')
  return `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}.${ms}`
}

/** Whether something is wrong with a PDU, or refused by it. */
export const isProblem = (pdu) => Boolean(pdu.problem) || (pdu.status !== null && pdu.status !== 'ESME_ROK')

export class List {
  #coming = []
  #timer = 0

  /** `onOpen(number)` when somebody opens a PDU. */
  constructor(onOpen) {
    this.onOpen = onOpen
    this.open = 0
    this.rows = el('ol', { class: 'trace-rows', 'data-role': 'rows', tLabel: 'trace.rows' })
    this.empty = el('p', { class: 'trace-empty' })
    this.element = el('div', { class: 'trace-list' }, this.empty, this.rows)
    this.rows.addEventListener('click', (event) => this.#click(event))
    this.rows.addEventListener('keydown', (event) => this.#key(event))
  }

  /** Show these instead of all that was there. */
  show(pdus, { filtered }) {
    this.#coming = []
    this.rows.replaceChildren(...pdus.slice(-ROWS).map((pdu) => this.#row(pdu)))
    this.#oneStop()
    this.#say(filtered)
    this.rows.scrollTop = this.rows.scrollHeight
  }

  add(pdu) {
    this.#come(() => this.#row(pdu))
  }

  addGap() {
    this.#come(() => el('li', { class: 'trace-gap', t: 'trace.gap' }))
  }

  #come(row) {
    this.#coming.push(row)
    this.#timer ||= setTimeout(() => this.#draw(), TOGETHER_MS)
  }

  #draw() {
    clearTimeout(this.#timer)
    this.#timer = 0
    const fresh = this.#coming.splice(0).slice(-ROWS)
    if (!fresh.length) return
    const atEnd = this.rows.scrollHeight - this.rows.scrollTop - this.rows.clientHeight < 40
    this.rows.append(...fresh.map((row) => row()))
    while (this.rows.childElementCount > ROWS) this.rows.firstElementChild.remove()
    this.#oneStop()
    this.#say(false)
    if (atEnd) this.rows.scrollTop = this.rows.scrollHeight
  }

  /** Mark the open one, and what it answers or is answered by. */
  mark(number, partner) {
    this.#draw()
    this.open = number
    for (const row of this.rows.querySelectorAll('.is-open, .is-partner')) {
      row.classList.remove('is-open', 'is-partner')
      row.firstElementChild.removeAttribute('aria-current')
    }
    const row = this.#find(number)
    row?.classList.add('is-open')
    row?.firstElementChild.setAttribute('aria-current', 'true')
    this.#find(partner)?.classList.add('is-partner')
  }

  /** Bring a row into view, and the keyboard to it. */
  focus(number) {
    const row = this.#find(number)
    if (!row) return
    this.#only(row.firstElementChild)
    row.firstElementChild.focus({ preventScroll: true })
    this.#reveal(row)
  }

  #find(number) {
    return number ? this.rows.querySelector(`[data-pdu="${Number(number)}"]`) : null
  }

  #reveal(row) {
    const { offsetTop: top, offsetHeight: height } = row
    const from = this.rows.scrollTop + this.rows.offsetTop
    if (top < from) this.rows.scrollTop -= from - top
    const below = top + height - from - this.rows.clientHeight
    if (below > 0) this.rows.scrollTop += below
  }

  #say(filtered) {
    const any = this.rows.childElementCount > 0
    this.empty.hidden = any
    this.rows.hidden = !any
    if (!any) {
      this.empty.dataset.t = filtered ? 'trace.none_fits' : 'trace.none'
      this.empty.textContent = t(this.empty.dataset.t)
    }
  }

  #row(pdu) {
    const kind = [`trace-row is-${pdu.direction}`]
    if (isProblem(pdu)) kind.push('is-problem')
    if (pdu.answers) kind.push('is-response')
    if (pdu.number === this.open) kind.push('is-open')
    const status = pdu.problem ? '⚠' : (pdu.status ?? '').replace('ESME_ROK', 'OK')
    return el(
      'li',
      { class: kind.join(' '), 'data-pdu': pdu.number },
      el(
        'button',
        { type: 'button', tabindex: -1 },
        el('span', { class: 'trace-time' }, time(pdu.at)),
        el('span', { class: 'trace-arrow', role: 'img', tLabel: `trace.${pdu.direction}` }, ARROWS[pdu.direction]),
        el('span', { class: 'trace-command' }, pdu.command),
        el('span', { class: 'trace-meaning' }, pdu.problem ?? (pdu.summary || pdu.one_line)),
        el('span', { class: 'trace-status' }, status.replace('ESME_', '')),
      ),
    )
  }

  #click(event) {
    const row = event.target.closest('[data-pdu]')
    if (!row) return
    this.#only(row.firstElementChild)
    this.onOpen(Number(row.dataset.pdu))
  }

  /** One stop of the Tab key; the arrows move inside. */
  #only(button) {
    for (const other of this.rows.querySelectorAll('button[tabindex="0"]')) other.tabIndex = -1
    button.tabIndex = 0
  }

  /** The row that had it may be gone: then the newest. */
  #oneStop() {
    if (!this.rows.querySelector('button[tabindex="0"]')) [...this.rows.querySelectorAll('button')].at(-1)?.setAttribute('tabindex', '0')
  }

  #key(event) {
    const buttons = [...this.rows.querySelectorAll('button')]
    const here = buttons.indexOf(event.target)
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: buttons.length - 1 }[event.key]
    if (here < 0 || to === undefined || !buttons[to]) return
    event.preventDefault()
    this.#only(buttons[to])
    buttons[to].focus({ preventScroll: true })
    this.#reveal(buttons[to].parentElement)
  }
}
