// The simulator's control API: get, post, and a stream that comes back by itself. A token, if there has to be one,
// is asked for once and kept for as long as the tab lives.

const TOKEN = 'starpound.token'
const PAUSE_MS = [250, 500, 1000, 2000, 4000]

let askForToken = null
let asking = null

export class ApiError extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** Who asks the user for the token: `(wasWrong) => Promise<string>`. */
export function onTokenWanted(ask) {
  askForToken = ask
}

/** A token in the address (`#token=...`) is taken from there, so that a link can carry it; servers never see it. */
export function takeTokenFromAddress() {
  const found = /^#token=(.+)$/.exec(location.hash)
  if (!found) return
  sessionStorage.setItem(TOKEN, decodeURIComponent(found[1]))
  history.replaceState(null, '', location.pathname + location.search)
}

export const get = (path) => request('GET', path)
export const post = (path, body = undefined) => request('POST', path, body)

async function request(method, path, body) {
  const token = sessionStorage.getItem(TOKEN)
  const headers = {}
  if (token) headers.Authorization = `Bearer ${token}`
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let answer
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  } catch {
    throw new ApiError(0, 'the simulator does not answer')
  }
  if (answer.status === 401 && askForToken) {
    await newToken(token)
    return request(method, path, body)
  }
  const said = await answer.json().catch(() => ({ error: `status ${answer.status}` }))
  if (!answer.ok) throw new ApiError(answer.status, said.error)
  return said
}

/** Ask once, however many requests were refused; `refused` is the token that did not do. */
async function newToken(refused) {
  if (sessionStorage.getItem(TOKEN) !== refused) return
  asking ??= askForToken(refused !== null).finally(() => { asking = null })
  sessionStorage.setItem(TOKEN, await asking)
}

/**
 * Listen to `path`, a WebSocket of the API, until the function that is returned is called.
 *
 * `onEvent` gets each event but the pings. `onState` is told 'open' and 'waiting' (for the next attempt). The stream
 * goes on after the last event seen; `prepare`, if there is one, is asked before each attempt for the number to go on
 * after, which is where a caller loads afresh what may have changed meanwhile.
 */
export function stream(path, onEvent, { onState = () => {}, after = undefined, prepare = undefined } = {}) {
  let socket = null
  let timer = 0
  let failures = 0
  let ended = false

  async function connect() {
    try {
      if (prepare) after = await prepare()
    } catch {
      return later()
    }
    if (ended) return
    const query = new URLSearchParams()
    if (after !== undefined) query.set('after', after)
    const token = sessionStorage.getItem(TOKEN)
    if (token) query.set('token', token)
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const joint = path.includes('?') ? '&' : '?'
    socket = new WebSocket(`${scheme}://${location.host}${path}${joint}${query}`)
    socket.addEventListener('open', () => {
      failures = 0
      onState('open')
    })
    socket.addEventListener('message', (message) => receive(message.data))
    socket.addEventListener('close', later)
  }

  function receive(data) {
    let event
    try {
      event = JSON.parse(data)
    } catch {
      return
    }
    if (event.number !== undefined) after = event.number
    if (event.kind !== 'ping') onEvent(event)
  }

  function later() {
    if (ended) return
    onState('waiting')
    timer = setTimeout(connect, PAUSE_MS[Math.min(failures, PAUSE_MS.length - 1)])
    failures += 1
  }

  connect()
  return () => {
    ended = true
    clearTimeout(timer)
    socket?.close()
  }
}
