// The keys. What a key does depends on what the phone shows, which is the handset's business.

import { el, icon } from '../dom.js'

const LETTERS = {
  1: '', 2: 'ABC', 3: 'DEF', 4: 'GHI', 5: 'JKL', 6: 'MNO', 7: 'PQRS', 8: 'TUV', 9: 'WXYZ', '*': '', 0: '+', '#': '',
}
const NAMES = { '*': 'star', '#': 'hash' }
const ORDER = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#']

const FLASH_MS = 130

/** `{ element, flash(character) }`; `press(character)` is called for a digit, `*` or `#`, `command(name)` for others. */
export function keypad({ press, command }) {
  const keys = new Map(ORDER.map((character) => [character, key(character, press)]))
  const element = el('div', { class: 'keys' },
    el('div', { class: 'keys-top' },
      commandKey('call', 'dial', 'phone.key_call', command),
      commandKey('message', 'messages', 'phone.key_messages', command),
      commandKey('erase', 'erase', 'phone.key_erase', command),
      commandKey('end', 'end', 'phone.key_end', command)),
    el('div', { class: 'keys-digits', role: 'group', tLabel: 'phone.keypad' }, [...keys.values()]))
  return { element, flash: (character) => flash(keys.get(character)) }
}

function key(character, press) {
  const label = { '*': 'phone.key_star', '#': 'phone.key_hash' }[character]
  return el('button', {
    type: 'button',
    class: 'key',
    'data-role': `key-${NAMES[character] ?? character}`,
    ...(label ? { tLabel: label } : { 'aria-label': character }),
    on: { click: () => press(character) },
  }, el('span', { class: 'key-digit' }, character), el('span', { class: 'key-letters' }, LETTERS[character]))
}

function commandKey(drawing, role, label, command) {
  return el('button', {
    type: 'button', class: `key key-${drawing}`, 'data-role': role, tLabel: label, on: { click: () => command(role) },
  }, icon(drawing))
}

function flash(button) {
  button.classList.add('pressed')
  setTimeout(() => button.classList.remove('pressed'), FLASH_MS)
}
