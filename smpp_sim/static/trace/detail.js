// One PDU with every field: a table, and its octets, each of which belongs to one row.

import { el } from '../dom.js'
import { t } from '../i18n/text.js'
import { time } from './list.js'

const LINE_OCTETS = 16
const CELL_OCTETS = 8

/** `pdu` is the answer of /api/trace/N; `go(number)` opens another one, `close()` this one's end. */
export function detail(pdu, { go, close, copy }) {
  const account = pdu.account || t('trace.nobody')
  const octets = hexView(pdu.fields)
  const fields = table(pdu.fields)
  joinHighlights(octets, fields)
  return el(
    'article',
    { class: 'trace-detail', 'aria-labelledby': 'trace-heading', 'data-role': 'detail' },
    el(
      'header',
      {},
      el('h3', { id: 'trace-heading', tabindex: '-1' }, t('trace.heading', pdu)),
      el('button', { type: 'button', class: 'trace-close', tLabel: 'trace.close', on: { click: close } }, '✕'),
    ),
    pdu.summary && el('p', { class: 'trace-summary' }, pdu.summary),
    pdu.problem && el('p', { class: 'trace-problem' }, `${[t('trace.problem'), pdu.case].filter(Boolean).join(' ')}: ${pdu.problem}`),
    pdu.note && pdu.note !== pdu.problem && el('p', { class: 'trace-note' }, pdu.note),
    el('p', { class: 'trace-where' }, `${time(pdu.at)} · ${t(`trace.${pdu.direction}`)} · `, t('trace.link', { ...pdu, account })),
    el(
      'p',
      { class: 'trace-buttons' },
      pdu.answers && jump('trace.answers', pdu.answers, go),
      pdu.answered_by && jump('trace.answered_by', pdu.answered_by, go),
      el('button', { type: 'button', 'data-role': 'copy-hex', on: { click: (event) => copy(event.target, pdu.hex) } }, t('trace.copy_hex')),
    ),
    el('h4', { t: 'trace.octets' }),
    octets,
    el('h4', { t: 'trace.fields' }),
    el('div', { class: 'trace-table', tabindex: '0', role: 'region', tLabel: 'trace.fields' }, fields),
    pdu.advice.length > 0 && el('h4', { t: 'trace.next' }),
    pdu.advice.length > 0 && el('ul', { class: 'trace-advice' }, pdu.advice.map((advice) => el('li', {}, advice))),
  )
}

function jump(key, number, go) {
  return el('button', { type: 'button', 'data-jump': number, on: { click: () => go(number) } }, t(key, { number }))
}

/** Sixteen octets a line; the table says the same, so a screen reader may pass it by. */
function hexView(fields) {
  const pairs = fields.flatMap((field, row) => field.hex.split(' ').filter(Boolean).map((pair) => ({ pair, row, masked: field.masked })))
  const lines = []
  for (let at = 0; at < pairs.length; at += LINE_OCTETS) {
    lines.push(
      el(
        'div',
        { class: 'trace-hex-line' },
        el('span', { class: 'trace-hex-offset' }, at.toString(16).padStart(4, '0')),
        pairs.slice(at, at + LINE_OCTETS).map(({ pair, row, masked }) => el('span', { class: `trace-octet is-${row % 2 ? 'odd' : 'even'}${masked ? ' is-masked' : ''}`, 'data-row': row }, pair)),
      ),
    )
  }
  return el('div', { class: 'trace-hex', 'aria-hidden': 'true' }, lines)
}

const COLUMNS = ['offset', 'octets', 'name', 'value', 'note', 'section']

function table(fields) {
  return el(
    'table',
    {},
    el('thead', {}, el('tr', {}, COLUMNS.map((column) => el('th', { scope: 'col', class: `trace-col-${column}`, t: `trace.${column}` })))),
    el('tbody', {}, fields.map(fieldRow)),
  )
}

/** The first octets of a long field; the view above the table has them all. */
function beginning(hex) {
  const pairs = hex.split(' ')
  return pairs.length > CELL_OCTETS ? `${pairs.slice(0, CELL_OCTETS).join(' ')} … ${pairs.length}` : hex
}

function fieldRow(field, row) {
  const said = { ...field, offset: field.offset.toString(16).padStart(4, '0'), octets: beginning(field.hex) }
  return el(
    'tr',
    { tabindex: row === 0 ? '0' : '-1', 'data-row': row, class: field.name.startsWith('unreadable') ? 'is-problem' : null },
    COLUMNS.map((column) => el(column === 'name' ? 'th' : 'td', { class: `trace-col-${column}`, scope: column === 'name' ? 'row' : null }, said[column])),
  )
}

/** Bring a line into view inside its box, without moving the page. */
function scrollTo(box, line) {
  const top = line.offsetTop - box.offsetTop
  if (top < box.scrollTop) box.scrollTop = top
  else if (top + line.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + line.offsetHeight - box.clientHeight
}

/** The row under the pointer or the keyboard lights its octets up, and the other way round. */
function joinHighlights(octets, fields) {
  const light = (row) => {
    for (const one of [...octets.querySelectorAll('.is-lit'), ...fields.querySelectorAll('.is-lit')]) one.classList.remove('is-lit')
    if (row === undefined) return
    const lit = [...octets.querySelectorAll(`[data-row="${row}"]`), ...fields.querySelectorAll(`[data-row="${row}"]`)]
    for (const one of lit) one.classList.add('is-lit')
    if (lit[0]) scrollTo(octets, lit[0].parentElement)
  }
  const over = (event) => light(event.target.closest('[data-row]')?.dataset.row)
  for (const part of [octets, fields]) {
    part.addEventListener('pointerover', over)
    part.addEventListener('focusin', over)
    part.addEventListener('pointerleave', () => light(document.activeElement?.closest?.('.trace-table [data-row]')?.dataset.row))
    part.addEventListener('focusout', () => light(undefined))
  }
  fields.addEventListener('keydown', (event) => {
    const row = event.target.closest('tr')
    const to = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key]
    if (!to) return
    event.preventDefault()
    to.focus()
  })
}
