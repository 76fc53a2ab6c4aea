// How long a text is on the air: septets of the GSM alphabet, or UTF-16 units (3GPP TS 23.038 §6.2.1, §6.1.2.3).

const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const EXTENDED = new Set('\f^{}\\[~]|€')

/** `{ alphabet, used }` of a text. */
export function measure(text) {
  let septets = 0
  for (const character of text) {
    if (BASIC.has(character)) septets += 1
    else if (EXTENDED.has(character)) septets += 2
    else return { alphabet: 'ucs2', used: text.length }
  }
  return { alphabet: 'gsm7', used: septets }
}

const USSD = { gsm7: 182, ucs2: 80 }
const SMS = { gsm7: { one: 160, part: 153 }, ucs2: { one: 70, part: 67 } }

/** An answer to a question: `{ used, allowed }`. */
export function answerLength(text) {
  const { alphabet, used } = measure(text)
  return { used, allowed: USSD[alphabet] }
}

/** An SMS: `{ used, allowed, parts }`; `allowed` is what fits the parts that it takes. */
export function smsLength(text) {
  const { alphabet, used } = measure(text)
  const { one, part } = SMS[alphabet]
  if (used <= one) return { used, allowed: one, parts: 1 }
  const parts = Math.ceil(used / part)
  return { used, allowed: parts * part, parts }
}
