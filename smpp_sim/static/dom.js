// Elements, made without any HTML in a text: what came from a gateway can only ever become a text.

import { t } from './i18n/text.js'

/**
 * An element: `el('button', { class: 'key', on: { click } }, 'text', child)`.
 *
 * `t` and `tLabel` name a text and a label that follow the language; `tHint` the placeholder. Other properties are
 * attributes; true is an empty one, false, null and undefined are none.
 */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) set(element, key, value)
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false))
  return element
}

function set(element, key, value) {
  if (key === 'on') {
    for (const [kind, listener] of Object.entries(value)) element.addEventListener(kind, listener)
  } else if (key === 't') {
    element.dataset.t = value
    element.textContent = t(value)
  } else if (key === 'tLabel') {
    element.dataset.tLabel = value
    element.setAttribute('aria-label', t(value))
  } else if (key === 'tHint') {
    element.dataset.tHint = value
    element.setAttribute('placeholder', t(value))
  } else if (value === true) {
    element.setAttribute(key, '')
  } else if (value !== false && value !== null && value !== undefined) {
    element.setAttribute(key, value)
  }
}

const SVG = 'http://www.w3.org/2000/svg'

const PATHS = {
  call: 'M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.57a1 1 0 0 1-.25 1z',
  end: 'M12 9c-1.6 0-3.15.25-4.6.72v3.1a1 1 0 0 1-.56.9 11 11 0 0 0-2.64 1.85 1 1 0 0 1-1.4-.02L.3 13.07a1 1 0 0 1 0-1.4A17 17 0 0 1 12 7c4.55 0 8.66 1.78 11.7 4.67a1 1 0 0 1 0 1.4l-2.5 2.48a1 1 0 0 1-1.4.02 11 11 0 0 0-2.65-1.85 1 1 0 0 1-.56-.9v-3.1A15.5 15.5 0 0 0 12 9z',
  message: 'M20 3H4a2 2 0 0 0-2 2v16l4-4h14a2 2 0 0 0 2-2V5a2 2 0 0 0-2-2zM7 8h10v1.8H7zm7 5.3H7v-1.8h7z',
  erase: 'M21 4H8.5a2 2 0 0 0-1.6.8L1.5 12l5.4 7.2a2 2 0 0 0 1.6.8H21a2 2 0 0 0 2-2V6a2 2 0 0 0-2-2zm-2.6 11.2-1.2 1.2-3-3-3 3-1.2-1.2 3-3-3-3 1.2-1.2 3 3 3-3 1.2 1.2-3 3z',
  power: 'M11 2h2v10h-2zm6.4 3.2-1.4 1.4A7 7 0 1 1 8 6.6L6.6 5.2a9 9 0 1 0 10.8 0z',
  back: 'M20 11H7.8l5.6-5.6L12 4l-8 8 8 8 1.4-1.4L7.8 13H20z',
  close: 'M19 6.4 17.6 5 12 10.6 6.4 5 5 6.4 10.6 12 5 17.6 6.4 19 12 13.4 17.6 19 19 17.6 13.4 12z',
  send: 'M2 21 23 12 2 3v7l15 2-15 2z',
  write: 'M3 17.2V21h3.8L17.8 9.9l-3.7-3.7zM20.7 7a1 1 0 0 0 0-1.4l-2.3-2.3a1 1 0 0 0-1.4 0l-1.8 1.8 3.7 3.7z',
}

/** A small drawing in the colour of the text beside it; screen readers pass it by. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, 'svg')
  drawing.setAttribute('viewBox', '0 0 24 24')
  drawing.setAttribute('class', 'icon')
  drawing.setAttribute('aria-hidden', 'true')
  drawing.setAttribute('focusable', 'false')
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', PATHS[name])
  drawing.append(path)
  return drawing
}
