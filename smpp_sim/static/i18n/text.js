// Words of the page in two languages. `t` never fails: an unknown key is shown as it is.

import en from './en.js'
import ru from './ru.js'
import { recall, remember } from '../memory.js'

export const LANGUAGES = ['ru', 'en']

const texts = { ru: { ...ru }, en: { ...en } }
const listeners = new Set()

let current = recall('language', null) ?? (navigator.language.startsWith('ru') ? 'ru' : 'en')
if (!LANGUAGES.includes(current)) current = 'en'

export const language = () => current

/** The text of a key; `{name}` in it stands for a value. */
export function t(key, values = {}) {
  const text = texts[current][key] ?? texts.en[key] ?? key
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole))
}

export const has = (key) => key in texts.en

/** Texts of a part that brings its own. */
export function addTexts(code, more) {
  Object.assign(texts[code], more)
}

export function setLanguage(code) {
  current = code
  remember('language', code)
  translate(document)
  for (const listener of listeners) listener()
}

/** Have `listener` called after each change of language; the function returned ends that. */
export function onLanguage(listener) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Put the texts of the language on everything that names one. */
export function translate(root) {
  document.documentElement.lang = current
  for (const one of root.querySelectorAll('[data-t]')) one.textContent = t(one.dataset.t)
  for (const one of root.querySelectorAll('[data-t-label]')) one.setAttribute('aria-label', t(one.dataset.tLabel))
  for (const one of root.querySelectorAll('[data-t-hint]')) one.setAttribute('placeholder', t(one.dataset.tHint))
}

const format = (options) => (at) => new Intl.DateTimeFormat(current, options).format(new Date(at * 1000))

/** `at` is Unix time. */
export const clock = format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
export const day = format({ weekday: 'long', day: 'numeric', month: 'long' })
export const moment = format({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
