// Parts of a drawing, made without any markup in a text.

const SVG = 'http://www.w3.org/2000/svg'

/** An SVG element; a text among the children becomes a text node. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value)
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined))
  return element
}

/** `text`, at most so many letters of it; control characters as signs. */
export function short(text, letters) {
  const line = text.replace(/\s*\n\s*/g, ' ⏎ ')
  return line.length > letters ? `${line.slice(0, Math.max(letters - 1, 1)).trimEnd()}…` : line
}

/** A line of text at a place; cut to `width` pixels, the whole of it in a tool tip. */
export function label(text, x, y, width, attributes = {}) {
  const letters = Math.max(Math.floor(width / 6.6), 3)
  const shown = short(text, letters)
  return svg('text', { x, y, ...attributes }, shown, shown === text ? null : svg('title', {}, text))
}
