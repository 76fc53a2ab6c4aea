/*
 * The cheapest ESME there is, to find the ceiling of the load generator: it binds, and answers every
 * deliver_sm with deliver_sm_resp and a submit_sm, patched into a buffer, one write for one read.
 * It understands nothing: what it gets wrong an SMSC would notice, the load generator does not.
 *
 *   cc -O2 -o answerer answerer.c && ./answerer PORT
 *
 * ussd_service_op 17 (last) to *100#, 2 (ask) to all else; its_session_info goes back with unit + 1.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DELIVER_SM = 5, ENQUIRE_LINK = 0x15, READ_OCTETS = 1 << 18 };

static const char TEXT[] = "Balance: 123.45 rub";
static uint8_t in[READ_OCTETS * 2], out[READ_OCTETS * 8];
static size_t out_octets;
static uint32_t sequence = 1;

static void header(uint8_t *at, uint32_t length, uint32_t command, uint32_t status, uint32_t number)
{
    uint32_t fields[4] = {htonl(length), htonl(command), htonl(status), htonl(number)};
    memcpy(at, fields, 16);
}

static void respond(uint32_t command, uint32_t number, const char *body, size_t octets)
{
    header(out + out_octets, 16 + octets, command | 0x80000000u, 0, number);
    memcpy(out + out_octets + 16, body, octets);
    out_octets += 16 + octets;
}

/* Answer the deliver_sm at pdu: destination_addr is its source_addr. */
static void submit(const uint8_t *pdu, uint32_t length)
{
    const uint8_t *service = pdu + 16, *source = service + strlen((const char *)service) + 3;
    const uint8_t *destination = source + strlen((const char *)source) + 3;
    const uint8_t *message = destination + strlen((const char *)destination) + 10, *tlv = message + 1 + message[0];
    uint8_t *start = out + out_octets, *at = start + 16;
    size_t text = sizeof TEXT - 1;
    at = (uint8_t *)stpcpy((char *)at, (const char *)service) + 3;
    at[-2] = 0, at[-1] = 1;
    at = (uint8_t *)stpcpy((char *)at, (const char *)destination) + 3;
    at[-2] = 0, at[-1] = 1;
    at = (uint8_t *)stpcpy((char *)at, (const char *)source) + 1;
    memset(at, 0, 9);
    at += 9;
    *at++ = text;
    memcpy(at, TEXT, text);
    at += text;
    if (tlv + 11 <= pdu + length) { /* ussd_service_op, then its_session_info: the load writes them so */
        memcpy(at, tlv, 11);
        at[4] = message[0] == 5 && !memcmp(message + 1, "*100#", 5) ? 17 : 2;
        at[10] += 2;
        at += 11;
    }
    header(start, at - start, 4, 0, sequence++);
    out_octets += at - start;
}

static size_t answer_all(size_t octets)
{
    size_t at = 0;
    uint32_t fields[4];
    while (octets - at >= 16) {
        memcpy(fields, in + at, 16);
        uint32_t length = ntohl(fields[0]), command = ntohl(fields[1]);
        if (length < 16 || length > READ_OCTETS) exit(1);
        if (length > octets - at) break;
        if (command == DELIVER_SM) {
            respond(command, ntohl(fields[3]), "", 1);
            submit(in + at, length);
        } else if (command == ENQUIRE_LINK) {
            respond(command, ntohl(fields[3]), "", 0);
        }
        at += length;
    }
    memmove(in, in + at, octets - at);
    return octets - at;
}

static void send_all(int link)
{
    size_t sent = 0;
    while (sent < out_octets) {
        ssize_t wrote = write(link, out + sent, out_octets - sent);
        if (wrote <= 0) exit(1);
        sent += wrote;
    }
    out_octets = 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in smsc = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int link = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    smsc.sin_port = htons(argc > 1 ? atoi(argv[1]) : 2775);
    if (connect(link, (struct sockaddr *)&smsc, sizeof smsc) != 0) return perror("connect"), 1;
    setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);

    static const char bind[] = "ceiling\0secret\0\0\x34\0\0"; /* and the NUL of address_range */
    header(out, 16 + sizeof bind, 9, 0, sequence++);
    memcpy(out + 16, bind, sizeof bind);
    out_octets = 16 + sizeof bind;
    send_all(link);

    size_t kept = 0;
    for (ssize_t got; (got = read(link, in + kept, READ_OCTETS)) > 0;) {
        kept = answer_all(kept + got);
        send_all(link);
    }
    return 0;
}
