// The node-smpp ESME of the benchmark: binds to the load generator, answers every deliver_sm with a fixed
// text, keeps nothing.
//
//   NODE_PATH=tests/peers/node/node_modules node node_answerer.js PORT [corked]
//
// ussd_service_op 17 (last screen) answers *100#, 2 (a screen that asks) anything else; a message without
// ussd_service_op is an SMS and is answered by one. its_session_info goes back with the number of the
// dialogue unit counted up.
//
// To show node-smpp at its best: TCP_NODELAY (else a turn takes 40 ms at window 1), the text as a Buffer (else
// its alphabet is detected anew for each message), no callbacks that are not needed. "corked" is not part of
// node-smpp: it holds the socket's writes until the end of the tick, so that they leave in one system call.
'use strict'
const smpp = require('smpp')

const TEXT = Buffer.from('Balance: 123.45 rub')
const [port, corked] = process.argv.slice(2)
const session = smpp.connect({ url: `smpp://127.0.0.1:${port}`, noDelay: true })

function hold () {
  session.socket.cork()
  process.nextTick(() => session.socket.uncork())
}

function answer (pdu) {
  const submit = {
    service_type: pdu.service_type,
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    short_message: TEXT
  }
  if (pdu.ussd_service_op !== undefined) {
    submit.ussd_service_op = String(pdu.short_message.message) === '*100#' ? 17 : 2
    submit.its_session_info = Buffer.from([pdu.its_session_info[0], pdu.its_session_info[1] + 2])
  }
  return submit
}

session.on('connect', () => {
  session.bind_transceiver({ system_id: 'node', password: 'secret' }, pdu => {
    if (pdu.command_status !== 0) {
      console.error(`bind refused: 0x${pdu.command_status.toString(16)}`)
      process.exit(1)
    }
  })
})
session.on('deliver_sm', pdu => {
  if (corked) hold()
  session.send(pdu.response())
  session.submit_sm(answer(pdu))
})
session.on('enquire_link', pdu => session.send(pdu.response()))
session.on('unbind', pdu => session.send(pdu.response(), () => session.close()))
session.on('error', error => { console.error(error.message); process.exit(1) })
session.on('close', () => process.exit(0))
