// Sentences of the phone itself, which the simulator says in English, in the language of the page. What the network
// sent is never touched.

import { has, t } from '../i18n/text.js'

const SENTENCES = [
  [/^Connection problem or invalid MMI code$/, 'phone.mmi'],
  [/^The service has ended the dialogue$/, 'phone.closed'],
  [/^IMEI (?<imei>\d+)$/, 'phone.imei'],
  [/^(?<service>.+): the network's own service, no USSD application sees this code$/, 'phone.own_service'],
  [/^a code is made of digits/, 'phone.not_a_code'],
  [/^a code has at most (?<most>\d+) characters/, 'phone.code_too_long'],
  [/^without # at its end this is a call/, 'phone.a_call'],
  [/^the phone is busy/, 'phone.busy'],
  [/^the phone is switched off$/, 'phone.is_off'],
  [/^the network asks nothing now$/, 'phone.nothing_asked'],
  [/^there is nothing to cancel/, 'phone.nothing_to_cancel'],
  [/^there is no box to close$/, 'phone.no_box'],
  [/is no number to send an SMS to/, 'phone.no_sms_number'],
  [/^no application serves (?<code>\S+)$/, 'phone.nobody_serves'],
  [/^an SMS has at most (?<most>\d+) characters/, 'phone.sms_too_long'],
  [/^\d+ messages are waiting for the application already$/, 'phone.queue_full'],
  [/^all \d+ phones of this network are in use$/, 'phone.network_full'],
  [/is no phone number/, 'phone.no_number'],
  [/^the simulator does not answer$/, 'phone.simulator_gone'],
  [/^too many connections|are waiting on this phone already/, 'phone.too_many'],
]

/** The same sentence in the language of the page; one that is not known stays as it is. */
export function worded(sentence) {
  for (const [form, key] of SENTENCES) {
    const found = form.exec(sentence)
    if (found) return t(key, valued(found.groups ?? {}))
  }
  return sentence
}

function valued(groups) {
  if (!groups.service) return groups
  const key = `service.${groups.service.toLowerCase().replaceAll(' ', '-')}`
  return { ...groups, service: has(key) ? t(key) : groups.service }
}
