// The menu's graph, drawn from the left to the right: each screen stands behind the one that leads to it first, every
// last one in a line of its own. Ways that lead elsewhere are drawn thinner.

import { label, short, svg } from './svg.js'

const WIDTH = 192
const HEIGHT = 40
const COLUMN = 276
const LINE = 54
const MARGIN = 12

/** Where everything stands: Map of node id to `{node, x, y, parent}`; `edges`, those of the tree marked. */
export function layout(menu) {
  const nodes = new Map(menu.nodes.map((node) => [node.id, node]))
  const edges = merged(menu.edges.filter((edge) => nodes.has(edge.from) && nodes.has(edge.to)))
  const children = spanningTree(menu, nodes, edges)
  const places = new Map()
  let line = 0
  const place = (id, depth, parent) => {
    const below = children.get(id) ?? []
    const before = line
    for (const child of below) place(child, depth + 1, id)
    if (below.length === 0) line += 1
    const ys = below.map((child) => places.get(child).y)
    const y = ys.length ? (ys[0] + ys.at(-1)) / 2 : MARGIN + before * LINE
    places.set(id, { node: nodes.get(id), x: MARGIN + depth * COLUMN, y, parent })
  }
  for (const root of children.get(null)) place(root, 0, null)
  for (const edge of edges) edge.isTree = places.get(edge.to).parent === edge.from
  const depth = Math.max(...[...places.values()].map(({ x }) => x))
  return { places, edges, width: depth + WIDTH + MARGIN, height: 2 * MARGIN + Math.max(line, 1) * LINE }
}

/** Several answers that lead the same way are one arrow. */
function merged(edges) {
  const found = new Map()
  for (const { from, to, label: words } of edges) {
    const key = JSON.stringify([from, to])
    if (!found.has(key)) found.set(key, { from, to, labels: [] })
    found.get(key).labels.push(words)
  }
  return [...found.values()]
}

/** Node to the nodes that are reached through it first, breadth first; `null` to the beginnings, home before others. */
function spanningTree(menu, nodes, edges) {
  const ways = Map.groupBy(edges, (edge) => edge.from)
  const children = new Map([[null, []]])
  const seen = new Set()
  const grow = (root) => {
    if (!nodes.has(root) || seen.has(root)) return
    seen.add(root)
    children.get(null).push(root)
    const queue = [root]
    while (queue.length) {
      const here = queue.shift()
      children.set(here, [])
      for (const { to } of ways.get(here) ?? []) {
        if (seen.has(to)) continue
        seen.add(to)
        children.get(here).push(to)
        queue.push(to)
      }
    }
  }
  for (const root of [menu.home, ...menu.codes.map((code) => code.to), ...nodes.keys()]) grow(root)
  return children
}

/**
 * The ways that a dialogue took, as a set of "from>to": between two screens may lie operations, which nobody sees.
 * `trail` are the nodes at which it was seen, in order.
 */
export function waysTaken(menu, trail) {
  const taken = new Set()
  for (let at = 1; at < trail.length; at += 1) {
    for (const way of wayBetween(menu, trail[at - 1], trail[at])) taken.add(way)
  }
  return taken
}

function wayBetween(menu, from, to) {
  const calls = new Set(menu.nodes.filter((node) => node.kind === 'call').map((node) => node.id))
  const before = new Map([[from, null]])
  const queue = [from]
  while (queue.length) {
    const here = queue.shift()
    for (const edge of menu.edges) {
      if (edge.from !== here || before.has(edge.to)) continue
      before.set(edge.to, here)
      if (edge.to === to) return unwound(before, to)
      if (calls.has(edge.to)) queue.push(edge.to)
    }
  }
  return []
}

function unwound(before, to) {
  const found = []
  for (let here = to; before.get(here); here = before.get(here)) found.push(`${before.get(here)}>${here}`)
  return found
}

/** The drawing. Elements carry data-node and data-way, so that `light` finds them. */
export function draw(menu, { places, edges, width, height }, language, name) {
  const codes = Map.groupBy(menu.codes, (code) => code.to)
  return svg(
    'svg',
    { class: 'trace-graph', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': name },
    edges.map((edge) => way(edge, places, language)),
    [...places.values()].map((place) => box(place, codes.get(place.node.id) ?? [], language)),
  )
}

function way(edge, places, language) {
  const [from, to] = [places.get(edge.from), places.get(edge.to)]
  const [x1, y1, x2, y2] = [from.x + WIDTH, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2]
  const bend = Math.max(Math.abs(x2 - x1) / 2, 30)
  const words = edge.labels.map((label) => label[language]).join(', ')
  const near = COLUMN - WIDTH - 14
  return svg(
    'g',
    { class: edge.isTree ? 'way' : 'way is-across', 'data-way': `${edge.from}>${edge.to}` },
    svg('path', { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }),
    edge.isTree ? label(words, x2 - 6, y2 - 4, near, { class: 'way-words', 'text-anchor': 'end' }) : null,
    svg('title', {}, `${edge.from} → ${edge.to}: ${words}`),
  )
}

function box({ node, x, y }, codes, language) {
  const dialled = codes.map((code) => code.code)
  const title = node.title[language] ?? ''
  const whole = [node.id, title, ...dialled].filter(Boolean).join('\n')
  return svg(
    'g',
    { class: `node is-${node.kind}`, 'data-node': node.id },
    svg('rect', { x, y, width: WIDTH, height: HEIGHT, rx: node.kind === 'end' ? 14 : 5 }),
    svg('text', { x: x + 9, y: y + 16, class: 'node-name' }, short(node.id, 25)),
    svg('text', { x: x + 9, y: y + 31, class: 'node-title' }, short(dialled.length ? dialled.join(' ') : title, 29)),
    svg('title', {}, whole),
  )
}

/** Light the current node and the way that led there. */
export function light(drawing, node, trail, taken) {
  for (const one of drawing.querySelectorAll('.is-now, .is-taken')) one.classList.remove('is-now', 'is-taken')
  const been = new Set(trail)
  for (const one of drawing.querySelectorAll('[data-node]')) {
    if (one.dataset.node === node) one.classList.add('is-now')
    else if (been.has(one.dataset.node)) one.classList.add('is-taken')
  }
  for (const one of drawing.querySelectorAll('[data-way]')) {
    if (!taken.has(one.dataset.way)) continue
    one.classList.add('is-taken')
    const to = one.dataset.way.split('>')[1]
    if (to !== node) drawing.querySelector(`[data-node="${CSS.escape(to)}"]`)?.classList.add('is-taken')
  }
}
