// node-smpp at either end of a link, driven from outside (tests/peers/node_peer.py).
//
//   node peer.js        prints a port; whoever connects to it has a peer of his own, which ends with that connection
//
// What it shall do comes in as JSON, an object a line:
//   {"connect": 2775}                          be an ESME
//   {"listen": true}                           be an SMSC, on a free port
//   {"link": 1, "send": "deliver_sm", "fields": {…}}
//   {"link": 1, "respond": sequence number of a request that came, "fields": {…}}
// What it sees goes out the same way:
//   {"event": "listening", "port": 40123}
//   {"event": "open" | "close" | "error", "link": 1}
//   {"event": "failed", "message": what was wrong with an order}
//   {"event": "pdu", "link": 1, "command": "submit_sm", …all that node-smpp read in it…, "octets": the whole PDU}
// A Buffer is {"hex": "2a31303023"}, both ways.
//
// It does nothing by itself, not even answer enquire_link: what happens is for the test to say.
'use strict'
const net = require('net')
const readline = require('readline')
const smpp = require('smpp')

// node-smpp forgets the octets that it has read a PDU from.
const octets = new WeakMap()
const read = smpp.PDU.prototype.fromBuffer
smpp.PDU.prototype.fromBuffer = function (buffer) {
  octets.set(this, buffer)
  return read.call(this, buffer)
}

const toLine = seen => JSON.stringify(seen, (_, value) =>
  value && value.type === 'Buffer' ? { hex: Buffer.from(value.data).toString('hex') } : value) + '\n'

const fromLine = line => JSON.parse(line, (_, value) =>
  value && typeof value.hex === 'string' ? Buffer.from(value.hex, 'hex') : value)

class Peer {
  constructor (control) {
    this.report = seen => control.write(toLine(seen))
    this.links = []
    this.server = null
    control.setNoDelay(true).on('close', () => this.end())
    readline.createInterface({ input: control })
      .on('line', line => this.try(fromLine(line)))
      .on('error', () => {}) // of the connection, which is closed then
  }

  try (order) {
    try { this.obey(order) } catch (error) { this.report({ event: 'failed', message: error.stack }) }
  }

  obey ({ connect, listen, link, send, respond, fields }) {
    if (connect) return this.connect(connect)
    if (listen) return this.listen()
    const { session, requests } = this.links[link - 1]
    session.send(send ? new smpp.PDU(send, fields) : requests.get(respond).response(fields))
  }

  connect (port) {
    const session = smpp.connect({ host: '127.0.0.1', port })
    session.on('connect', () => this.watch(session)).on('error', () => {}) // then there is no "open"
  }

  listen () {
    this.server = smpp.createServer({}, session => this.watch(session))
    this.server.listen(0, '127.0.0.1', () => this.report({ event: 'listening', port: this.server.address().port }))
  }

  watch (session) {
    const requests = new Map()
    const link = this.links.push({ session, requests })
    session.socket.setNoDelay(true)
    session.on('pdu', pdu => {
      if (!pdu.isResponse()) requests.set(pdu.sequence_number, pdu)
      this.report({ event: 'pdu', link, ...pdu, octets: octets.get(pdu) })
    })
    session.on('error', error => this.report({ event: 'error', link, message: error.message }))
    session.on('close', () => this.report({ event: 'close', link }))
    this.report({ event: 'open', link })
  }

  end () {
    if (this.server) this.server.close()
    for (const { session } of this.links) session.destroy()
  }
}

const control = net.createServer(socket => new Peer(socket))
control.listen(0, '127.0.0.1', () => console.log(control.address().port))
process.stdin.on('end', () => process.exit(0)).resume()
