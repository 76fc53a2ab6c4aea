// The letters that the simulator's mailbox took, newest first. A letter is shown as text, whatever is in it.

import { el } from '../dom.js'
import { moment, onLanguage, t } from '../i18n/text.js'
import { recall, remember } from '../memory.js'

const POLL_MS = 3000

/** Fill `section` and keep it up to date; `count(unread)` is told how many letters are new. */
export function mountMail(section, { get, count }) {
  const list = el('div', { class: 'letters', 'aria-live': 'polite', 'data-role': 'letters' })
  section.replaceChildren(el('h2', { t: 'mail.title' }), list)
  let letters = []
  let last = -1
  let port = null
  let open = new Set()

  async function look() {
    if (document.hidden || !(await isNew())) return
    const mail = await get('/api/mail')
    last = mail.last
    letters = mail.letters.reverse()
    render()
  }

  /** Whether there is more than what is shown, without fetching what is. */
  async function isNew() {
    const about = await get('/api')
    const same = about.smtp_port === port && last >= 0
    port = about.smtp_port
    if (!same) return true
    const { events, missed } = await get(`/api/mail/events?after=${last}`)
    return missed || events.length > 0
  }

  function render() {
    open = new Set([...list.querySelectorAll('details[open]')].map((one) => one.dataset.letter))
    list.replaceChildren(...(letters.length ? letters.map(letter) : [nothing()]))
    tell()
  }

  function nothing() {
    if (port) return el('p', { class: 'empty' }, t('mail.none', { port }))
    return el('p', { class: 'empty' }, t('mail.no_mailbox'), ' ', el('code', {}, 'starpound sim --mailbox-port 8025'))
  }

  function letter(one) {
    return el('details', {
      class: seen(one) ? 'letter' : 'letter new',
      'data-letter': String(one.number),
      open: open.has(String(one.number)),
      on: { toggle: (event) => event.target.open && read(one, event.target) },
    },
    el('summary', {},
      el('span', { class: 'letter-subject' }, one.subject || t('mail.no_subject')),
      el('span', { class: 'letter-time' }, moment(one.at)),
      el('span', { class: 'letter-sender' }, `${one.sender || t('mail.no_sender')} → ${one.recipients.join(', ')}`)),
    el('pre', { class: 'letter-text', tabindex: '0', 'aria-label': t('mail.text') }, one.text),
    one.attachments.length ? el('ul', { class: 'attachments' }, one.attachments.map(attachment)) : null)
  }

  const attachment = ({ name, content_type: type, octets }) =>
    el('li', {}, t('mail.attachment', { name: name || t('mail.no_name'), type, octets }))

  // A simulator that is started anew counts from 1 again, so it is the time that counts here.
  const seen = (one) => one.at <= recall('mail', 0)

  function read(one, details) {
    details.classList.remove('new')
    remember('mail', Math.max(recall('mail', 0), one.at))
    tell()
  }

  const tell = () => count(letters.filter((one) => !seen(one)).length)

  // A simulator that was away may have begun anew: then everything is fetched.
  const lookQuietly = () => look().catch(() => { last = -1 })
  onLanguage(render)
  lookQuietly()
  setInterval(lookQuietly, POLL_MS)
}
