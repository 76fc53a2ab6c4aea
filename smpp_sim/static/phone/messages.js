// Messages on the phone's display: conversations by number, one conversation, a new message.

import { el, icon } from '../dom.js'
import { clock, moment, t } from '../i18n/text.js'
import { smsLength } from './measure.js'

let composed = 0

export class Messages {
  /** `close` leaves the messages, `moved` is told that another page of them is open. */
  constructor(phone, { close, moved }) {
    this.phone = phone
    this.close = close
    this.moved = moved
    this.page = 'list'
    this.number = ''
    this.element = el('div', { class: 'view messages', hidden: true, 'data-role': 'threads' })
  }

  get open() {
    return !this.element.hidden
  }

  show(number = null) {
    this.element.hidden = false
    this.go(number ? 'thread' : 'list', number ?? '')
  }

  hide() {
    this.element.hidden = true
  }

  /** One page back; from the list, out. */
  back() {
    if (this.page === 'list') this.close()
    else this.go('list')
  }

  go(page, number = '') {
    this.page = page
    this.number = number
    this.element.replaceChildren(...this.pages[page]())
    this.fill()
    this.moved()
    this.element.querySelector(page === 'list' ? '.thread-item, .bar button' : 'input, textarea')?.focus({ preventScroll: true })
  }

  /** New messages; what is being written stays. */
  render() {
    if (this.open) this.fill()
  }

  redraw() {
    if (!this.open) return
    const drafts = [...this.element.querySelectorAll('input, textarea')].map((field) => field.value)
    this.element.replaceChildren(...this.pages[this.page]())
    this.element.querySelectorAll('input, textarea').forEach((field, place) => { field.value = drafts[place] })
    this.fill()
  }

  /** Put characters where the cursor is, or was last. */
  type(characters) {
    const field = this.field ?? this.element.querySelector('input, textarea')
    if (!field) return
    field.setRangeText(characters, field.selectionStart, field.selectionEnd, 'end')
    field.dispatchEvent(new Event('input'))
  }

  erase() {
    const field = this.field ?? this.element.querySelector('input, textarea')
    if (!field) return
    const from = field.selectionStart === field.selectionEnd ? Math.max(field.selectionStart - 1, 0) : field.selectionStart
    field.setRangeText('', from, field.selectionEnd, 'end')
    field.dispatchEvent(new Event('input'))
  }

  // --- pages ---------------------------------------------------------------------------------------------------

  pages = {
    list: () => [
      this.bar(t('sms.title'), el('button', {
        type: 'button', class: 'bar-button', 'data-role': 'new-message', 'aria-label': t('sms.new'),
        on: { click: () => this.go('new') },
      }, icon('write'))),
      (this.list = el('ul', { class: 'scroll threads' })),
    ],
    thread: () => [
      this.bar(this.number),
      (this.list = el('ol', { class: 'scroll bubbles', tabindex: '0', 'aria-label': t('sms.thread', { number: this.number }) })),
      this.compose(false),
    ],
    new: () => [this.bar(t('sms.new')), this.compose(true)],
  }

  bar(title, ...more) {
    return el('div', { class: 'bar' },
      el('button', {
        type: 'button', class: 'bar-button', 'data-role': 'back', 'aria-label': t('sms.back'), on: { click: () => this.back() },
      }, icon('back')),
      el('h3', {}, title), ...more)
  }

  fill() {
    if (this.page === 'list') this.fillList()
    if (this.page === 'thread') this.fillThread()
  }

  fillList() {
    const threads = this.phone.threads()
    const at = [...this.list.querySelectorAll('button')].indexOf(document.activeElement)
    this.list.replaceChildren(...threads.map((thread) => this.threadItem(thread)))
    if (!threads.length) this.list.append(el('li', { class: 'empty' }, t('sms.none')))
    if (at >= 0) this.list.querySelectorAll('button')[at]?.focus()
  }

  threadItem({ number, messages, unread }) {
    const last = messages.at(-1)
    return el('li', {}, el('button', {
      type: 'button', class: 'thread-item', 'data-role': 'thread', 'data-number': number,
      on: { click: () => this.go('thread', number) },
    },
    el('span', { class: 'thread-number' }, number),
    el('span', { class: 'thread-time' }, clock(last.at)),
    el('span', { class: 'thread-text' }, last.text || t('sms.empty')),
    unread ? el('span', { class: 'count', 'aria-label': t('sms.unread', { count: unread }) }, String(unread)) : null))
  }

  fillThread() {
    const { messages } = this.phone.thread(this.number)
    this.list.replaceChildren(...messages.map(bubble))
    this.list.scrollTop = this.list.scrollHeight
    this.phone.read(this.number)
  }

  compose(toAnyone) {
    composed += 1
    const id = `compose-${composed}`
    const counter = el('span', { class: 'sms-count', id: `${id}-count` })
    const count = () => { counter.textContent = told(smsLength(text.value)) }
    const noteField = (event) => { this.field = event.target }
    const to = toAnyone ? el('input', {
      'data-role': 'compose-to', inputmode: 'tel', autocomplete: 'off', maxlength: '21', 'aria-label': t('sms.to'),
      placeholder: t('sms.to'), on: { focus: noteField },
    }) : null
    const text = el('textarea', {
      'data-role': 'compose-text', rows: toAnyone ? '5' : '2', 'aria-label': t('sms.text'), placeholder: t('sms.hint'),
      'aria-describedby': counter.id, on: { input: count, focus: noteField, keydown: (event) => sendByEnter(event, form) },
    })
    const form = el('form', {
      class: toAnyone ? 'compose compose-new' : 'compose', 'data-role': 'compose',
      on: { submit: (event) => this.submit(event, to, text) },
    }, to, text, el('div', { class: 'compose-end' }, counter, el('button', {
      type: 'submit', class: 'bar-button send', 'data-role': 'compose-send', 'aria-label': t('sms.send'),
    }, icon('send'))))
    this.field = null
    count()
    return form
  }

  async submit(event, to, text) {
    event.preventDefault()
    const number = (to ? to.value : this.number).trim().replace(/^\+/, '')
    if (!(await this.phone.sms(number, text.value))) return
    if (to) return this.go('thread', number)
    text.value = ''
    text.dispatchEvent(new Event('input'))
    this.fill()
  }
}

function bubble({ mine, text, at, parts }) {
  const long = parts > 1 ? ` · ${t('sms.parts', { count: parts })}` : ''
  return el('li', { class: mine ? 'bubble mine' : 'bubble', 'data-role': 'message', 'data-mine': String(mine) },
    el('span', { class: 'hidden-words' }, t(mine ? 'sms.mine' : 'sms.theirs')),
    el('span', { class: 'bubble-text', 'data-role': 'message-text' }, text || t('sms.empty')),
    el('span', { class: 'bubble-time' }, moment(at) + long))
}

const told = ({ used, allowed, parts }) => (parts > 1 ? `${used}/${allowed} · ${parts}` : `${used}/${allowed}`)

/** Enter sends, Shift+Enter is a new line. */
function sendByEnter(event, form) {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  form.requestSubmit()
}
