// The box over the display: "USSD code running", a question with a text field, or a text with OK.

import { el } from '../dom.js'
import { t } from '../i18n/text.js'
import { answerLength } from './measure.js'
import { worded } from './wording.js'

let boxes = 0

export class Box {
  constructor(phone, { send, cancel, ok }) {
    this.phone = phone
    this.drawn = ''
    boxes += 1
    this.id = `box-${boxes}`
    this.actions = { send, cancel, ok }
    this.element = el('div', { class: 'over', hidden: true })
  }

  /** Draw what the phone shows. True: it is another box than before. */
  render() {
    const { state, display, box: number } = this.phone
    const open = ['running', 'asked', 'showing'].includes(state)
    const draw = open ? `${state}/${number}/${display?.text ?? this.phone.code}` : ''
    this.element.hidden = !open
    if (draw === this.drawn) {
      this.renderHidden()
      return false
    }
    this.drawn = draw
    this.answer = null
    this.element.replaceChildren(...(open ? [this.box(state)] : []))
    this.renderHidden()
    return true
  }

  /** In another language. What stands in the text field stays. */
  redraw() {
    const draft = this.answer?.value
    this.drawn = ''
    this.render()
    if (draft) this.type(draft)
  }

  /** Put characters into the text field, where the cursor is. */
  type(characters) {
    if (!this.answer) return
    const { selectionStart, selectionEnd } = this.answer
    this.answer.setRangeText(characters, selectionStart, selectionEnd, 'end')
    this.count()
  }

  erase() {
    if (!this.answer) return
    const { selectionStart, selectionEnd } = this.answer
    const from = selectionStart === selectionEnd ? Math.max(selectionStart - 1, 0) : selectionStart
    this.answer.setRangeText('', from, selectionEnd, 'end')
    this.count()
  }

  /** Where the cursor belongs when the box opens. */
  focus() {
    const wanted = this.answer ?? this.element.querySelector('button')
    wanted?.focus({ preventScroll: true })
  }

  /** What a screen reader says of the box when the cursor does not go there. */
  spoken() {
    if (this.phone.state === 'running') return t('box.running')
    if (!this.phone.display) return ''
    return `${this.title()}. ${this.text()}`
  }

  // --- its parts -----------------------------------------------------------------------------------------------

  box(state) {
    return state === 'running' ? this.running() : this.dialog(state)
  }

  running() {
    return el('div', { class: 'box box-running', 'data-role': 'running' },
      el('span', { class: 'spinner', 'aria-hidden': 'true' }),
      el('p', {}, t('box.running'), el('span', { class: 'box-code' }, this.phone.own ? this.phone.code : '')))
  }

  dialog(state) {
    const asked = state === 'asked'
    const { screen } = this.phone.display
    return el('div', {
      class: `box box-${screen}`,
      'data-role': 'dialog',
      'data-screen': screen,
      role: asked ? 'dialog' : 'alertdialog',
      'aria-labelledby': `${this.id}-title`,
      'aria-describedby': `${this.id}-text`,
    }, el('form', { class: 'box-form', novalidate: true, on: { submit: (event) => this.submit(event) } },
    el('h3', { id: `${this.id}-title`, class: 'box-title' }, this.title()),
    el('div', { class: 'box-scroll', tabindex: '0', role: 'group', 'aria-labelledby': `${this.id}-title` },
      el('p', { id: `${this.id}-text`, class: 'box-text', 'data-role': 'text' }, this.text()),
      this.why() ? el('p', { class: 'box-why' }, this.why()) : null),
    asked ? this.field() : null,
    el('p', { class: 'box-hidden', 'data-role': 'hidden', hidden: true }),
    el('div', { class: 'box-buttons' },
      asked ? el('button', {
        type: 'button', class: 'flat', 'data-role': 'cancel', on: { click: this.actions.cancel },
      }, t('box.cancel')) : null,
      el('button', { type: 'submit', class: 'flat strong', 'data-role': 'ok' }, t(asked ? 'box.send' : 'box.ok')))))
  }

  field() {
    this.answer = el('input', {
      id: `${this.id}-answer`,
      class: 'box-answer',
      'data-role': 'answer',
      autocomplete: 'off',
      autocapitalize: 'off',
      spellcheck: 'false',
      enterkeyhint: 'send',
      'aria-label': t('box.answer'),
      'aria-describedby': `${this.id}-count`,
      on: { input: () => this.count() },
    })
    this.counter = el('span', { id: `${this.id}-count`, class: 'box-count', 'data-role': 'count' })
    this.count()
    return el('div', { class: 'box-field' }, this.answer, this.counter)
  }

  count() {
    const { used, allowed } = answerLength(this.answer.value)
    this.counter.textContent = `${used}/${allowed}`
    this.counter.classList.toggle('too-long', used > allowed)
    this.answer.setAttribute('aria-invalid', String(used > allowed))
  }

  renderHidden() {
    const note = this.element.querySelector('[data-role=hidden]')
    if (!note) return
    note.hidden = !this.phone.hidden
    note.textContent = this.phone.hidden ? t('box.hidden', { count: this.phone.hidden }) : ''
  }

  title() {
    const { display, code, fromNetwork, trouble } = this.phone
    if (display.screen === 'local') return t('box.local')
    if (display.screen === 'error') return t(trouble === 'user' ? 'box.error_user' : 'box.error')
    return fromNetwork || !code ? t('box.network') : code
  }

  text() {
    const { screen, text } = this.phone.display
    return screen === 'error' || screen === 'local' ? worded(text) : text
  }

  why() {
    const { screen, text } = this.phone.display
    if (screen !== 'error' || text.startsWith('The service')) return ''
    const reasons = { user: 'box.why_user', lost: 'box.why_lost' }
    return t(reasons[this.phone.trouble] ?? 'box.why_network')
  }

  submit(event) {
    event.preventDefault()
    if (this.answer) this.actions.send(this.answer.value)
    else this.actions.ok()
  }
}
