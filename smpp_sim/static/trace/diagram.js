// The dialogue as a sequence diagram: phone, centre, gateway, and an arrow for each thing that passed between them.
// What the phone did comes from its events, what the link carried from the trace; the clock joins them.

import { el } from '../dom.js'
import { t } from '../i18n/text.js'
import { isProblem, time } from './list.js'
import { label, svg } from './svg.js'

const ROW = 46
const NARROW = 560
const LINE = 14
const HEAD = 8
const MARGIN = 40
const SEEN = 120

const PHONE = 0
const CENTRE = 1
const GATEWAY = 2

/** A phone's event as `{from, to, title, detail}`; `from` is `to` for what happens in one place. */
const DEEDS = {
  running: (event) => event.code && { from: PHONE, to: CENTRE, title: t('trace.dials', event), starts: true },
  answered: (event) => ({ from: PHONE, to: CENTRE, title: event.text ? t('trace.answered', event) : t('trace.empty_answer') }),
  cancelled: () => ({ from: PHONE, to: CENTRE, title: t('trace.cancelled') }),
  sent: (event) => ({ from: PHONE, to: CENTRE, title: t('trace.sent', event), details: [characters(event.text)] }),
}
const EFFECTS = {
  screen: (event) => screen(event),
  sms: (event) => ({ from: CENTRE, to: PHONE, title: t('trace.sms', event), details: [characters(event.text)] }),
  timeout: () => ({ from: PHONE, to: PHONE, title: t('trace.timeout'), problem: true }),
  lost: () => ({ from: CENTRE, to: CENTRE, title: t('trace.lost'), problem: true }),
  off: () => ({ from: PHONE, to: PHONE, title: t('trace.off') }),
  on: () => ({ from: PHONE, to: PHONE, title: t('trace.on') }),
}

const characters = (text) => t('trace.characters', { count: [...text].length })

function screen(event) {
  const inside = event.screen === 'local' || event.screen === 'error'
  return {
    from: inside ? PHONE : CENTRE,
    to: PHONE,
    title: t(`trace.screen_${event.screen}`),
    details: inside ? [] : [t('trace.of_allowed', event)],
    problem: event.screen === 'error',
  }
}

function ofPdu(pdu) {
  const words = [pdu.ussd_op_name && `${pdu.ussd_op} ${pdu.ussd_op_name}`, pdu.characters !== null && t('trace.characters', { count: pdu.characters })]
  const response = pdu.status !== null
  return {
    from: pdu.direction === 'in' ? GATEWAY : CENTRE,
    to: pdu.direction === 'in' ? CENTRE : GATEWAY,
    title: pdu.command,
    details: response ? [pdu.status] : words.filter(Boolean),
    number: pdu.number,
    response,
    problem: isProblem(pdu),
  }
}

/** Events and PDUs in one order. In the same millisecond: what the phone does, the link, what the phone shows. */
export function steps(events, pdus) {
  const ms = (one) => Math.round(one.at * 1000)
  const found = []
  let nextPdu = 0
  const takePdus = (before) => {
    while (nextPdu < pdus.length && before(ms(pdus[nextPdu]))) {
      const pdu = pdus[nextPdu++]
      found.push({ at: pdu.at, ...ofPdu(pdu) })
    }
  }
  for (const event of events) {
    const deed = DEEDS[event.kind]
    const step = (deed ?? EFFECTS[event.kind])?.(event)
    if (!step) continue
    takePdus((at) => (deed ? at < ms(event) : at <= ms(event)))
    found.push({ at: event.at, ...step })
  }
  takePdus(() => true)
  return found
}

/** What belongs to the last dialogue: all since the last code was dialled. */
export function lastDialogue(all) {
  const start = all.findLastIndex((step) => step.starts)
  return start < 0 ? all : all.slice(start)
}

/** The drawing, `width` pixels wide, and the same as a list of sentences. `open(number)` opens a PDU. */
export function diagram(all, { msisdn, account, width, open }) {
  const shown = all.slice(-SEEN)
  const names = [t('trace.lane_phone', { msisdn }), t('trace.lane_centre'), t('trace.lane_gateway', { account })]
  const lanes = [MARGIN, width / 2, width - MARGIN]
  const row = width < NARROW ? ROW + LINE : ROW
  const height = HEAD + shown.length * row + 24
  const drawing = svg(
    'svg',
    { class: 'trace-diagram', width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': t('trace.diagram') },
    arrowHeads(),
    lanes.map((x) => svg('line', { class: 'lane', x1: x, x2: x, y1: 0, y2: height })),
    shown.map((step, at) => arrow(step, HEAD + at * row + 26, lanes, row, open)),
  )
  const head = el('div', { class: 'trace-lanes', 'aria-hidden': 'true' }, names.map((name) => el('span', { title: name }, name)))
  return { head, drawing, sentences: shown.map((step) => sentence(step, names)) }
}

function arrowHeads() {
  const head = (id) => svg('marker', { id, viewBox: '0 0 10 10', refX: 9, refY: 5, markerWidth: 8, markerHeight: 8, orient: 'auto-start-reverse' }, svg('path', { d: 'M0 0 10 5 0 10z', class: id }))
  return svg('defs', {}, head('trace-head'), head('trace-head-problem'))
}

function arrow(step, y, lanes, row, open) {
  const [x1, x2] = [lanes[step.from], lanes[step.to]]
  const room = lanes[1] - lanes[0] - 12
  const kind = ['step', step.response && 'is-response', step.problem && 'is-problem', step.number && 'is-pdu'].filter(Boolean).join(' ')
  const middle = x1 === x2 ? x1 + 10 : (x1 + x2) / 2
  const anchor = x1 === x2 ? 'start' : 'middle'
  const line =
    x1 === x2
      ? svg('circle', { cx: x1, cy: y, r: 4 })
      : svg('line', { x1, x2: x2 + (x2 > x1 ? -2 : 2), y1: y, y2: y, 'marker-end': `url(#trace-head${step.problem ? '-problem' : ''})` })
  const details = step.details ?? []
  const lines = row > ROW ? details : [details.join(', ')].filter(Boolean)
  const drawn = svg(
    'g',
    { class: kind, tabindex: step.number ? 0 : null, role: step.number ? 'button' : null, 'aria-label': step.number ? [step.number, step.title, ...details].join(' ') : null, 'data-step': step.number ?? null },
    step.number ? svg('rect', { class: 'touch', x: lanes[1], y: y - 24, width: lanes[2] - lanes[1], height: row - 3 }) : null,
    line,
    label(step.title, middle, x1 === x2 ? y + 4 : y - 7, x1 === x2 ? room * 2 : room, { class: 'step-title', 'text-anchor': anchor }),
    x1 === x2 ? null : lines.map((line, at) => label(line, middle, y + LINE * (at + 1), room, { class: 'step-detail', 'text-anchor': anchor })),
  )
  if (step.number) {
    drawn.addEventListener('click', () => open(step.number))
    drawn.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return
      event.preventDefault()
      open(step.number)
    })
  }
  return drawn
}

function sentence(step, names) {
  const words = [step.title, ...(step.details ?? [])].join(', ')
  const values = { time: time(step.at), from: names[step.from], to: names[step.to], at: names[step.from], words }
  return el('li', {}, t(step.from === step.to ? 'trace.at' : 'trace.arrow', values))
}
