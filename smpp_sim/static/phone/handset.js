// One phone as one holds it: body, display and keys, and what each key does in each state.

import { el, icon } from '../dom.js'
import { clock, day, onLanguage, t } from '../i18n/text.js'
import { Box } from './box.js'
import { keypad } from './keypad.js'
import { Messages } from './messages.js'
import { Phone } from './model.js'
import { worded } from './wording.js'

const TONES = 6
const TOAST_MS = 6000
const BANNER_MS = 9000
const IMEI = '*#06#'

let latest = null

/** The phone that was touched last; what is typed beside all phones is meant for it. */
export const latestHandset = () => latest

/** `79260000003` as people write it. */
export function spelled(msisdn) {
  const found = /^7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(msisdn)
  return found ? `+7 ${found[1]} ${found[2]}-${found[3]}-${found[4]}` : `+${msisdn}`
}

export class Handset {
  /** `entry` is its page of the phone book, if it has one; `close` takes it from the table. */
  constructor(msisdn, entry, { close, unread }) {
    this.msisdn = msisdn
    this.entry = entry
    this.unread = unread
    this.phone = new Phone(msisdn, (what) => this.changed(what))
    this.box = new Box(this.phone, {
      send: (text) => this.phone.answer(text),
      cancel: () => this.phone.cancel(),
      ok: () => this.phone.ok(),
    })
    this.messages = new Messages(this.phone, { close: () => this.home(), moved: () => this.messagesMoved() })
    this.keys = keypad({ press: (character) => this.press(character), command: (name) => this.command(name) })
    this.element = this.build(close)
    this.endLanguage = onLanguage(() => this.redraw())
    latest ??= this
    this.phone.start()
    this.render()
  }

  remove() {
    this.phone.stop()
    this.endLanguage()
    clearTimeout(this.toastTimer)
    clearTimeout(this.bannerTimer)
    if (latest === this) latest = null
    this.element.remove()
  }

  // --- the body ------------------------------------------------------------------------------------------------

  build(close) {
    const tone = [...this.msisdn].reduce((sum, digit) => sum * 7 + Number(digit), 0) % TONES
    this.nameplate = el('h2', { id: `name-${this.msisdn}` }, this.entry?.name ?? spelled(this.msisdn))
    return el('article', {
      class: `handset tone-${tone}`,
      'data-phone': this.msisdn,
      'aria-labelledby': `name-${this.msisdn}`,
      on: {
        keydown: (event) => this.key(event),
        focusin: () => { latest = this },
        pointerdown: () => { latest = this },
      },
    },
    el('header', { class: 'nameplate' },
      this.nameplate,
      this.entry ? el('p', { class: 'nameplate-number' }, spelled(this.msisdn)) : null,
      el('button', { type: 'button', class: 'round', 'data-role': 'remove', tLabel: 'phone.remove', on: { click: close } }, icon('close'))),
    el('div', { class: 'body' },
      el('div', { class: 'crown' },
        el('span', { class: 'lamp', 'aria-hidden': 'true' }),
        el('span', { class: 'earpiece', 'aria-hidden': 'true' }),
        (this.power = el('button', {
          type: 'button', class: 'power', 'data-role': 'power', on: { click: () => this.phone.power() },
        }, icon('power')))),
      el('div', { class: 'glass' }, this.display()),
      this.keys.element,
      el('span', { class: 'chin', 'aria-hidden': 'true' })))
  }

  display() {
    this.said = el('p', { class: 'hidden-words', 'aria-live': 'polite', 'data-role': 'announce' })
    this.toast = el('p', { class: 'toast', role: 'alert', hidden: true, 'data-role': 'problem' })
    this.banner = el('div', { class: 'banner', hidden: true, 'data-role': 'banner' })
    this.screen = el('div', { class: 'display', 'data-role': 'display', tabindex: '-1' },
      this.statusBar(), this.homeView(), this.messages.element, this.banner, this.box.element, this.toast, this.said)
    return this.screen
  }

  statusBar() {
    this.operator = el('span', { class: 'operator' })
    this.signal = el('span', { class: 'signal', role: 'img' }, [1, 2, 3, 4].map(() => el('i')))
    this.envelope = el('span', { class: 'envelope', hidden: true }, icon('message'))
    this.time = el('span', { class: 'time' })
    return el('div', { class: 'status', 'data-role': 'status' }, this.signal, this.operator, this.envelope, this.time)
  }

  homeView() {
    this.bigTime = el('p', { class: 'big-time', 'aria-hidden': 'true' })
    this.date = el('p', { class: 'date' })
    this.plan = el('p', { class: 'plan' }, this.entry?.tariff ?? '')
    this.number = el('input', {
      class: 'number',
      'data-role': 'number',
      inputmode: 'tel',
      autocomplete: 'off',
      maxlength: '182',
      spellcheck: 'false',
      tLabel: 'phone.number',
      tHint: 'phone.number_hint',
      on: { input: () => this.typed() },
    })
    this.homeElement = el('div', { class: 'view home' }, this.bigTime, this.date, this.plan, this.number)
    return this.homeElement
  }

  // --- what the phone tells ------------------------------------------------------------------------------------

  changed(what) {
    if (what === 'problem') this.complain(this.phone.problem)
    if (what === 'sms') this.smsCame(this.phone.newest)
    if (what === 'messages' || what === 'sms') this.messages.render()
    this.render()
  }

  render() {
    const { state, online } = this.phone
    this.element.dataset.state = state
    this.element.classList.toggle('offline', !online)
    const on = state !== 'off'
    this.power.setAttribute('aria-label', t(on ? 'phone.switch_off' : 'phone.switch_on'))
    this.signal.setAttribute('aria-label', t(online && on ? 'phone.signal' : 'phone.no_signal'))
    this.operator.textContent = online ? t('phone.operator') : t('phone.no_signal')
    if (!on) this.leaveViews()
    this.renderUnread()
    this.tick()
    const covered = ['running', 'asked', 'showing'].includes(state)
    for (const view of [this.homeElement, this.messages.element]) view.inert = covered || !on
    this.keys.element.inert = !on
    if (this.box.render()) this.boxChanged()
  }

  tick() {
    const now = Date.now() / 1000
    this.time.textContent = clock(now)
    this.bigTime.textContent = clock(now)
    this.date.textContent = day(now)
  }

  renderUnread() {
    const unread = this.phone.unread()
    this.envelope.hidden = !unread
    const key = this.keys.element.querySelector('[data-role=messages]')
    key.dataset.count = unread || ''
    key.setAttribute('aria-label', unread ? t('phone.key_messages_unread', { count: unread }) : t('phone.key_messages'))
    this.unread()
  }

  /** Another box is on the display, or none: move the cursor if it was here, tell who listens. */
  boxChanged() {
    const { state, fromNetwork, display } = this.phone
    const covered = state === 'asked' || state === 'showing'
    const here = this.element.contains(document.activeElement)
    const mine = here || (document.activeElement === document.body && latest === this)
    if (covered && fromNetwork && display?.screen !== 'error') this.ring()
    if (covered && mine) this.box.focus()
    else if (state === 'running' && mine) this.screen.focus({ preventScroll: true })
    else if (state === 'idle' && mine) this.cursorHome()
    if (state === 'running' || (covered && !mine)) this.say(this.box.spoken())
  }

  cursorHome() {
    if (this.messages.open) this.messages.element.querySelector('textarea, input, button')?.focus({ preventScroll: true })
    else this.number.focus({ preventScroll: true })
  }

  say(words) {
    this.said.textContent = ''
    this.said.textContent = words
  }

  ring() {
    this.element.classList.remove('ringing')
    void this.element.offsetWidth
    this.element.classList.add('ringing')
  }

  smsCame(sms) {
    this.say(t('sms.came', { sender: sms.sender, text: sms.text || t('sms.empty') }))
    this.ring()
    this.bannerSender = sms.sender
    if (this.messages.open && this.messages.number === sms.sender) return
    this.banner.replaceChildren(
      el('button', { type: 'button', class: 'banner-open', 'data-role': 'notification', on: { click: () => this.openThread(sms.sender) } },
        icon('message'),
        el('span', { class: 'banner-sender' }, sms.sender),
        el('span', { class: 'banner-text' }, sms.text || t('sms.empty'))),
      el('button', { type: 'button', class: 'bar-button', 'aria-label': t('sms.dismiss'), on: { click: () => this.dismiss() } }, icon('close')))
    this.banner.hidden = false
    clearTimeout(this.bannerTimer)
    this.bannerTimer = setTimeout(() => this.dismiss(), BANNER_MS)
  }

  dismiss() {
    if (this.banner.contains(document.activeElement)) {
      // Nothing is taken away from under the hands of whoever reads it by keyboard.
      clearTimeout(this.bannerTimer)
      if (!this.banner.dataset.kept) {
        this.banner.dataset.kept = 'yes'
        this.bannerTimer = setTimeout(() => this.dismiss(), BANNER_MS)
        return
      }
      this.cursorHome()
    }
    delete this.banner.dataset.kept
    this.banner.hidden = true
  }

  complain(sentence) {
    this.toast.textContent = worded(sentence)
    this.toast.hidden = false
    clearTimeout(this.toastTimer)
    this.toastTimer = setTimeout(() => { this.toast.hidden = true }, TOAST_MS)
  }

  redraw() {
    this.box.redraw()
    this.messages.redraw()
    this.render()
  }

  // --- keys ----------------------------------------------------------------------------------------------------

  /** A digit, * or #: into the answer, the message, or the number to dial. */
  press(character) {
    this.keys.flash(character)
    const { state } = this.phone
    if (state === 'asked') return this.box.type(character)
    if (state !== 'idle') return
    if (this.messages.open) return this.messages.type(character)
    const { selectionStart, selectionEnd, value } = this.number
    const inside = document.activeElement === this.number
    this.number.setRangeText(character, inside ? selectionStart : value.length, inside ? selectionEnd : value.length, 'end')
    this.typed()
  }

  typed() {
    const typed = this.number.value
    this.homeElement.classList.toggle('typing', typed !== '')
    this.number.scrollLeft = this.number.scrollWidth
    this.toast.hidden = true
    if (typed === IMEI) this.dial()
  }

  command(name) {
    const { state } = this.phone
    const deeds = {
      dial: { asked: () => this.phone.answer(this.box.answer.value), showing: () => this.phone.ok(), idle: () => this.green() },
      end: { asked: () => this.phone.cancel(), running: () => this.phone.cancel(), showing: () => this.phone.hangUp(), idle: () => this.red() },
      erase: { asked: () => this.box.erase(), idle: () => this.erase() },
      messages: { idle: () => this.toMessages() },
    }
    deeds[name][state]?.()
  }

  green() {
    if (this.messages.open) {
      const form = this.messages.element.querySelector('form')
      return form?.requestSubmit()
    }
    if (this.number.value) return this.dial()
    this.number.value = this.phone.lastCode
    this.typed()
  }

  async dial() {
    if (await this.phone.dial(this.number.value)) {
      this.number.value = ''
      this.typed()
    }
  }

  red() {
    this.dismiss()
    if (this.messages.open) return this.home()
    this.number.value = ''
    this.typed()
  }

  erase() {
    if (this.messages.open) return this.messages.erase()
    this.number.value = this.number.value.slice(0, -1)
    this.typed()
  }

  toMessages() {
    if (this.messages.open && this.messages.page === 'list') return this.home()
    this.homeElement.hidden = true
    this.dismiss()
    this.messages.show()
  }

  openThread(number) {
    this.homeElement.hidden = true
    this.messages.show(number)
  }

  /** A conversation is open: what the banner tells of it stands there. */
  messagesMoved() {
    if (this.messages.number === this.bannerSender) this.banner.hidden = true
  }

  home() {
    this.leaveViews()
    this.number.focus({ preventScroll: true })
  }

  leaveViews() {
    this.messages.hide()
    this.homeElement.hidden = false
    if (this.phone.state === 'off') this.banner.hidden = true
  }

  /** Keys of the keyboard: where there is a text field they write, elsewhere they are the phone's. */
  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return
    const inField = event.target.matches('input, textarea')
    if (event.key === 'Escape') return this.handled(event, () => this.escape())
    if (event.target === this.number && event.key === 'Enter') return this.handled(event, () => this.command('dial'))
    if (inField) return
    if (/^[0-9*#]$/.test(event.key)) return this.handled(event, () => this.press(event.key))
    if (event.key === 'Backspace') return this.handled(event, () => this.command('erase'))
    if (event.key === 'Enter' && !event.target.matches('button')) this.handled(event, () => this.command('dial'))
  }

  handled(event, deed) {
    event.preventDefault()
    event.stopPropagation()
    deed()
  }

  escape() {
    const { state } = this.phone
    if (state === 'showing') return this.phone.ok()
    if (state === 'idle' && !this.banner.hidden) return this.dismiss()
    if (state === 'idle' && this.messages.open) return this.messages.back()
    this.command('end')
  }
}
