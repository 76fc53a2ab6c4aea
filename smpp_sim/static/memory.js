// What this browser remembers between visits. A browser that forbids it forgets; nothing else changes.

const PREFIX = 'starpound.'

export function recall(name, otherwise) {
  try {
    const kept = localStorage.getItem(PREFIX + name)
    return kept === null ? otherwise : JSON.parse(kept)
  } catch {
    return otherwise
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value))
  } catch {
    // full, or forbidden
  }
}
