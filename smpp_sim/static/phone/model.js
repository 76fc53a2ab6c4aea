// What one phone knows. Everything comes from the simulator, so a reload in the middle of a dialogue changes nothing.

import { get, post, stream } from '../api.js'
import { recall, remember } from '../memory.js'

const KEPT_SENT = 200

export class Phone {
  /** `changed(what)` is called with 'state', 'screen', 'messages', 'sms' or 'problem' after each change. */
  constructor(msisdn, changed) {
    this.msisdn = msisdn
    this.changed = changed
    this.path = `/api/phones/${msisdn}`
    this.online = false
    this.forget()
  }

  forget() {
    this.state = 'idle'
    this.display = null
    this.hidden = 0
    this.last = 0
    this.code = ''
    this.lastCode = ''
    this.own = false
    this.trouble = ''
    this.box = 0
    this.inbox = []
    this.sent = []
    this.newest = null
    this.problem = ''
  }

  start() {
    this.end = stream(`${this.path}/stream`, (event) => this.take(event), {
      onState: (state) => this.connected(state === 'open'),
      prepare: () => this.load(),
    })
  }

  stop() {
    this.end?.()
  }

  connected(online) {
    this.online = online
    this.changed('state')
  }

  /** Everything anew; the number of the last event that is in it. */
  async load() {
    const past = await get(`${this.path}/events?after=0`)
    const [state, inbox] = await Promise.all([get(this.path), get(`${this.path}/inbox`)])
    this.forget()
    for (const event of past.events) this.note(event)
    this.inbox = inbox.messages
    this.apply(state)
    this.changed('messages')
    return past.last
  }

  // --- what happens --------------------------------------------------------------------------------------------

  async take(event) {
    if (event.kind === 'missed') return void (await this.load())
    this.note(event)
    if (event.kind === 'sms') {
      this.newest = event
      return this.changed('sms')
    }
    if (event.kind === 'sent') return this.changed('messages')
    if (event.number > this.last) this.follow(event)
    this.refresh()
  }

  /** What an event tells that the state of the phone does not: what was dialled, what went wrong, messages. */
  note(event) {
    const notes = {
      running: () => this.noteRunning(event.code),
      screen: () => this.noteScreen(event),
      idle: () => { this.own = false },
      off: () => { this.own = false },
      timeout: () => { this.trouble = 'user' },
      lost: () => { this.trouble = 'lost' },
      sent: () => { this.sent = [...this.sent, event].slice(-KEPT_SENT) },
      sms: () => this.noteSms(event),
    }
    notes[event.kind]?.()
  }

  noteRunning(code) {
    this.trouble = 'network'
    if (!code) return
    this.code = this.lastCode = code
    this.own = true
  }

  noteScreen({ number, screen: kind }) {
    this.box = number
    this.fromNetwork = kind === 'notice' || (!this.own && kind !== 'local' && kind !== 'error')
    this.own &&= kind === 'ask' || kind === 'notice'
    if (kind === 'ask') this.trouble = ''
  }

  noteSms(event) {
    if (!this.inbox.some((one) => one.sms === event.sms)) this.inbox = [...this.inbox, event]
  }

  /** At once what an event says; `refresh` tells the rest. */
  follow(event) {
    const states = { running: 'running', idle: 'idle', off: 'off', on: 'idle' }
    if (event.kind === 'hidden') this.hidden = event.hidden
    else if (event.kind === 'screen') this.show(event.screen === 'ask' ? 'asked' : 'showing', event)
    else if (states[event.kind]) this.show(states[event.kind], null)
    else return
    this.last = event.number
    this.changed(event.kind === 'screen' ? 'screen' : 'state')
  }

  show(state, display) {
    this.state = state
    this.display = display
  }

  /** Ask for the state, once for any number of events that come together. */
  async refresh() {
    if (this.refreshing) {
      this.again = true
      return
    }
    this.refreshing = true
    do {
      this.again = false
      await get(this.path).then((state) => this.apply(state), () => {})
    } while (this.again)
    this.refreshing = false
  }

  apply(state) {
    if (state.last < this.last) return
    this.last = state.last
    this.hidden = state.hidden
    this.show(state.state, state.display)
    this.changed('state')
  }

  // --- what its owner does -------------------------------------------------------------------------------------

  dial = (code) => this.act('dial', { code })
  answer = (text) => this.act('answer', { text })
  ok = () => this.act('ok')
  cancel = () => this.act('cancel')
  hangUp = () => this.act('hang-up')
  sms = (to, text) => this.act('sms', { to, text })
  power = () => this.act(this.state === 'off' ? 'on' : 'off')

  /** Whether the phone could do it; if not, `problem` says why. */
  async act(deed, words = undefined) {
    try {
      const state = await post(`${this.path}/${deed}`, words)
      // The stream tells the same, in the right order; without one there is only this.
      if (!this.online) this.apply(state)
      return true
    } catch (problem) {
      this.problem = problem.message
      this.changed('problem')
      return false
    }
  }

  // --- messages ------------------------------------------------------------------------------------------------

  /** Conversations by the number at the other end, the one with the newest message first. */
  threads() {
    const found = new Map()
    const put = (number, message) => found.set(number, [...(found.get(number) ?? []), message])
    for (const sms of this.inbox) put(sms.sender, { ...sms, mine: false })
    for (const sms of this.sent) put(sms.to, { ...sms, mine: true })
    const seen = this.seen()
    return [...found]
      .map(([number, messages]) => ({
        number,
        messages: messages.sort((one, other) => one.at - other.at),
        unread: messages.filter((one) => !one.mine && one.at > (seen[number] ?? 0)).length,
      }))
      .sort((one, other) => other.messages.at(-1).at - one.messages.at(-1).at)
  }

  thread(number) {
    return this.threads().find((one) => one.number === number) ?? { number, messages: [], unread: 0 }
  }

  unread() {
    return this.threads().reduce((sum, one) => sum + one.unread, 0)
  }

  seen() {
    return recall(`seen.${this.msisdn}`, {})
  }

  /** Its owner has read what that number sent; senders that asked for it hear of that. */
  async read(number) {
    const { messages, unread } = this.thread(number)
    if (!unread || this.state === 'off') return
    remember(`seen.${this.msisdn}`, { ...this.seen(), [number]: Math.max(...messages.map((one) => one.at)) })
    await this.act('read')
    this.changed('messages')
  }
}
