// The two drawings beside the list: the dialogue of a phone, and the menu with the node at which that phone is.

import { get, stream } from '../api.js'
import { el } from '../dom.js'
import { language, t } from '../i18n/text.js'
import { diagram, lastDialogue, steps } from './diagram.js'
import { draw, layout, light, waysTaken } from './graph.js'

const SETTLE_MS = 120
const NARROWEST = 300
const PDUS = 300

/** Something that loads afresh when it is told to, but not while it is loading, nor ten times for one burst. */
class Loader {
  #timer = 0
  #busy = false
  #again = false

  constructor(load) {
    this.load = load
  }

  wake() {
    if (this.#busy) this.#again = true
    else this.#timer ||= setTimeout(() => this.#run(), SETTLE_MS)
  }

  async #run() {
    this.#timer = 0
    this.#busy = true
    this.#again = false
    await this.load().catch(() => {})
    this.#busy = false
    if (this.#again) this.wake()
  }
}

export class DialogueView {
  #loader = new Loader(() => this.#load())
  #all = false
  #msisdn = ''
  #account = ''
  #steps = []
  #leave = null

  constructor(open) {
    this.open = open
    this.sheet = el('div', { class: 'trace-sheet', tabindex: '0', role: 'region', tLabel: 'trace.diagram' })
    this.sentences = el('ol', {})
    this.element = el(
      'div',
      { class: 'trace-dialogue', 'data-role': 'dialogue', hidden: true },
      el('label', { class: 'trace-check' }, el('input', { type: 'checkbox', on: { change: (event) => this.#toggle(event.target.checked) } }), el('span', { t: 'trace.earlier' })),
      this.sheet,
      el('details', {}, el('summary', { t: 'trace.diagram_as_text' }), this.sentences),
    )
    new ResizeObserver(() => this.draw()).observe(this.sheet)
  }

  /** Whose dialogue it is. */
  of(msisdn) {
    if (msisdn === this.#msisdn) return
    this.#msisdn = msisdn
    this.#steps = []
    this.#leave?.()
    this.#leave = null
    this.wake()
  }

  wake() {
    if (this.element.hidden) return
    if (this.#msisdn) this.#leave ??= stream(`/api/phones/${this.#msisdn}/stream`, () => this.#loader.wake())
    this.#loader.wake()
  }

  #toggle(all) {
    this.#all = all
    this.draw()
  }

  async #load() {
    if (this.#msisdn) {
      const [{ events }, { pdus }] = await Promise.all([
        get(`/api/phones/${this.#msisdn}/events?after=0`),
        get(`/api/trace?msisdn=${this.#msisdn}&limit=${PDUS}`),
      ])
      this.#account = pdus.at(-1)?.account ?? ''
      this.#steps = steps(events, pdus)
    }
    this.draw()
  }

  draw() {
    if (this.element.hidden) return
    if (!this.#msisdn) {
      this.sheet.replaceChildren(el('p', { class: 'trace-empty', t: 'trace.no_phone' }))
      return
    }
    const shown = this.#all ? this.#steps : lastDialogue(this.#steps)
    const width = Math.max(this.sheet.clientWidth - 4, NARROWEST)
    const about = { msisdn: this.#msisdn, account: this.#account, width, open: this.open }
    const { head, drawing, sentences } = diagram(shown, about)
    this.sheet.replaceChildren(head, drawing)
    this.sentences.replaceChildren(...sentences)
    this.sheet.scrollTop = this.sheet.scrollHeight
  }
}

/** Follows a phone from the beginning, so that its way is known when somebody looks; the menu is loaded only then. */
export class MenuView {
  #loader = new Loader(() => this.#load())
  #menu = null
  #plan = null
  #drawing = null
  #msisdn = ''
  #node = null
  #trail = []

  constructor() {
    this.now = el('p', { class: 'trace-now', role: 'status', 'data-role': 'node' })
    this.ways = el('ul', { class: 'trace-ways' })
    this.sheet = el('div', { class: 'trace-sheet', tabindex: '0', role: 'region', tLabel: 'trace.graph' })
    this.element = el('div', { class: 'trace-menu', 'data-role': 'menu', hidden: true }, this.now, this.ways, this.#key(), this.sheet)
  }

  #key() {
    const entry = (kind, key) => el('li', { class: kind }, el('span', { t: key }))
    return el(
      'ul',
      { class: 'trace-key' },
      ['menu', 'list', 'call', 'end'].map((kind) => entry(`is-${kind}`, `trace.kind_${kind}`)),
      entry('is-now', 'trace.key_now'),
      entry('is-taken', 'trace.key_path'),
    )
  }

  of(msisdn) {
    if (msisdn === this.#msisdn) return
    this.#msisdn = msisdn
    this.#node = null
    this.#trail = []
    this.wake()
  }

  wake() {
    this.#loader.wake()
  }

  async #load() {
    if (!this.#menu && !this.element.hidden) await this.#loadMenu()
    const { node } = this.#msisdn ? await get(`/api/gateway/dialogue?msisdn=${this.#msisdn}`) : { node: null }
    this.#follow(node)
    this.draw()
  }

  async #loadMenu() {
    try {
      this.#menu = await get('/api/gateway/menu')
    } catch (problem) {
      this.now.textContent = t('trace.graph_unknown', { reason: problem.message })
    }
  }

  /** A dialogue that is over stays marked until the next one begins. */
  #follow(node) {
    if (node && !this.#node) this.#trail = []
    if (node && this.#trail.at(-1) !== node) this.#trail.push(node)
    this.#node = node
  }

  draw() {
    if (this.element.hidden || !this.#menu) return
    this.#plan ??= layout(this.#menu)
    if (this.#drawing?.lang !== language()) this.#redraw()
    light(this.#drawing.picture, this.#node, this.#trail, waysTaken(this.#menu, this.#trail))
    this.#say()
    const at = this.#node ?? this.#trail.at(-1) ?? this.#menu.home
    if (this.#drawing.at !== at) this.#reveal(at)
    this.#drawing.at = at
  }

  #redraw() {
    this.#drawing = { lang: language(), picture: draw(this.#menu, this.#plan, language(), t('trace.graph')) }
    this.sheet.replaceChildren(this.#drawing.picture)
  }

  #say() {
    const where = { msisdn: this.#msisdn, node: this.#node }
    const phone = this.#msisdn ? t(this.#node ? 'trace.now_at' : 'trace.over', where) : t('trace.no_phone')
    if (this.now.textContent !== phone) this.now.textContent = phone
    const ways = this.#node ? this.#menu.edges.filter((edge) => edge.from === this.#node) : []
    this.ways.replaceChildren(...ways.map((edge) => el('li', {}, t('trace.leads', { label: edge.label[language()], node: edge.to }))))
  }

  #reveal(node) {
    const place = this.#plan.places.get(node)
    if (!place) return
    this.sheet.scrollTop = place.y - this.sheet.clientHeight / 2
    this.sheet.scrollLeft = place.x - this.sheet.clientWidth / 3
  }
}
