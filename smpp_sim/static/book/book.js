// The phone book: who there is to be, with tariff and language, and a button that puts the phone on the table.

import { el } from '../dom.js'
import { has, onLanguage, t } from '../i18n/text.js'
import { spelled } from '../phone/handset.js'

const LANGUAGES = { ru: 'book.ru', en: 'book.en', 'ru-Latn': 'book.ru_latn' }

/** Fill `section` with `subscribers`; `toggle(msisdn)` opens or closes a phone, `isOpen(msisdn)` tells. */
export function mountBook(section, { subscribers, toggle, isOpen }) {
  const list = el('ul', { class: 'book', 'data-role': 'book' })
  section.replaceChildren(el('h2', { t: 'book.title' }), el('p', { class: 'hint', t: 'book.hint' }), list)

  function render() {
    const at = document.activeElement?.dataset?.number
    list.replaceChildren(...subscribers.map(item))
    if (!subscribers.length) list.append(el('li', { class: 'empty' }, t('book.none')))
    if (at) list.querySelector(`[data-number="${CSS.escape(at)}"]`)?.focus()
  }

  function item({ msisdn, name, tariff, language, note }) {
    const key = `note.${note}`
    const facts = [tariff, LANGUAGES[language] ? t(LANGUAGES[language]) : language].filter(Boolean).join(' · ')
    const open = isOpen(msisdn)
    return el('li', { 'data-entry': msisdn },
      el('span', { class: 'book-name' }, name,
        note ? el('span', { class: 'book-note' }, has(key) ? t(key) : note) : null),
      el('span', { class: 'book-number' }, spelled(msisdn)),
      el('span', { class: 'book-facts' }, facts),
      el('button', {
        type: 'button',
        'data-number': msisdn,
        'aria-label': t(open ? 'book.close_of' : 'book.open_of', { name }),
        on: { click: () => { toggle(msisdn) } },
      }, t(open ? 'book.close' : 'book.open')))
  }

  onLanguage(render)
  render()
  return render
}
