"""A new profile file out of what `detect` has seen: the likeliest profile, put right where the trace says otherwise.

Every line that the trace bears out says so, and every other one says that it does not; the file is a beginning.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from gateway.dialect import Message, Word
from gateway.dialect.detect import Candidate, operation, session_key, session_tags, tlv_name
from gateway.dialect.shape import inward_words, outward_words
from gateway.smpp.text import ALPHABET_BY_DCS
from gateway.smpp.vocabulary import MESSAGE_PAYLOAD, USSD_SERVICE_OP
from menus.turns import Abort, Answer, Begin, Notified

_SEEN, _NOT_SEEN = "seen", "not seen"
_KIND_BY_TURN = {Begin: "new", Answer: "answer", Notified: "notified", Abort: "abort"}


def write_profile(candidate: Candidate, name: str) -> str:
    """The text of a profile file named `name`, which `load_profile` takes."""
    file = candidate.profile.file
    lines = [
        f"# Derived from {file.name} by `starpound dialect detect`. What the trace did not show is {file.name}'s.",
        f"# Messages: {len(_inward(candidate))} of subscribers, {len(_outward(candidate))} of the gateway.",
        *(f"# Speaks against it: {_one_line(reason)}" for reason in candidate.against),
        f"name: {_quoted(name)}",
        f"title: {_quoted(f'like {file.name}')}",
        f"trust: {_quoted('a trace, and for the rest ' + file.trust)}",
        "",
        f"op_from: {file.op_from}",
        *_service_type(candidate),
        f"code_from: {file.code_from}",
        *_destination(candidate),
        "",
        *_session(candidate),
        "",
        *_operations(candidate),
        "",
        *_data_coding(candidate),
        f"packing: {file.packing}",
        *_addresses(candidate),
        *_extra_tlvs(candidate),
        f"limits: {{octets: {file.limits.octets}, idle_s: {file.limits.idle_s:g}, total_s: {file.limits.total_s:g}}}"
        "   # no trace shows them: ask",
    ]
    return "\n".join(lines) + "\n"


def _inward(candidate: Candidate) -> list[Message]:
    return [pdu for one in candidate.dialogues for pdu, _ in one.inward]


def _outward(candidate: Candidate) -> list[Message]:
    return [pdu for one in candidate.dialogues for pdu, _ in one.outward]


def _service_type(candidate: Candidate) -> list[str]:
    file = candidate.profile.file
    if file.op_from == "service_type":
        return []
    seen = Counter(pdu.service_type for pdu in _inward(candidate)).most_common()
    value = seen[0][0] if seen else file.service_type
    others = f", also {', '.join(repr(one) for one, _ in seen[1:])}" if len(seen) > 1 else ""
    return [f"service_type: {_quoted(value)}   # {_SEEN if seen else _NOT_SEEN}{_one_line(others)}"]


def _destination(candidate: Candidate) -> list[str]:
    seen = [pdu.destination_addr for pdu in _inward(candidate)]
    if not seen:
        return []
    if not any(seen):
        return ["destination: empty   # seen"]
    coded = any(one.startswith(("*", "#")) for one in seen)
    return [f"destination: {'code' if coded else 'digits'}   # seen: {_one_line(seen[0])}"]


def _session(candidate: Candidate) -> list[str]:
    """The profile's own TLVs where one of them was there; otherwise those that look like it."""
    file = candidate.profile.file
    seen = {tag for pdu in _inward(candidate) for tag in pdu.tlvs}
    lines = [f"# A dialogue is named by {session_key(candidate.profile)}: {', '.join(candidate.keys[:3])}"]
    lines.append(f"key: [{', '.join(file.key)}]")
    tlvs = [(one.tlv, one.bits, _SEEN if one.tlv in seen else _NOT_SEEN) for one in file.session]
    if not any(one.tlv in seen for one in file.session):
        octets = {tag: max(len(pdu.tlvs.get(tag, b"")) for pdu in _inward(candidate)) for tag in seen}
        found = sorted(session_tags(candidate.dialogues))
        tlvs = [(tag, " ".join(["SSSSSSSS"] * octets[tag]), "seen; a guess") for tag in found] + tlvs
    if tlvs:
        lines.append("session:")
        lines += [
            f'  - {{tlv: 0x{tag:04X}, bits: "{bits}"}}   # {tlv_name(tag)}: {how}' for tag, bits, how in tlvs
        ]
    lines.append(f"unnamed: {file.unnamed}")
    return lines


def _operations(candidate: Candidate) -> list[str]:
    seen = _seen_operations(candidate)
    lines = ["in:"]
    for kind, words in inward_words(candidate.profile.file).items():
        order = list(dict.fromkeys([*seen[kind], *words]))
        if not order:
            lines.append(f"  # {kind}: {_NOT_SEEN}, and {candidate.name} has none")
        else:
            lines.append(f"  {kind}: [{', '.join(map(_word, order))}]   # {_which(seen[kind])}")
    lines.append("out:")
    for said, word in outward_words(candidate.profile.file).items():
        lines.append(f"  {said}: {_word(word)}   # {_which(one for one in seen['out'] if one == word)}")
    known = {*outward_words(candidate.profile.file).values()}
    lines += [
        f"  # {_word(word)} is from the gateway, too" for word in sorted({*seen["out"]} - known, key=str)
    ]
    return lines


def _seen_operations(candidate: Candidate) -> defaultdict[str, list[Word]]:
    """Operations by kind, in the order in which they came; those of the gateway under ``out``."""
    seen: defaultdict[str, list[Word]] = defaultdict(list)
    words = inward_words(candidate.profile.file)
    for dialogue in candidate.dialogues:
        for pdu, inbound in dialogue.inward:
            word, kind = operation(pdu), _KIND_BY_TURN[type(inbound.turn)]
            kinds = [one for one, known in words.items() if word in known]
            seen[kinds[0] if kinds else kind].append(word)
        seen["out"] += [operation(pdu) for pdu, _ in dialogue.outward]
    return seen


def _which(seen: Iterable[Word]) -> str:
    counted = Counter(seen)
    return ", ".join(f"{word} {_SEEN} {times}×" for word, times in counted.items()) or _NOT_SEEN


def _data_coding(candidate: Candidate) -> list[str]:
    dcs = candidate.profile.file.dcs
    inward = Counter(pdu.data_coding for pdu in _inward(candidate))
    outward = Counter(pdu.data_coding for pdu in _outward(candidate))
    table = {**ALPHABET_BY_DCS[dcs.table], **dcs.alphabets}
    chosen = {"gsm7": dcs.gsm7, "ucs2": dcs.ucs2}
    for data_coding, _ in [*outward.most_common(), *inward.most_common()][::-1]:
        alphabet = table.get(data_coding)
        if alphabet in chosen:
            chosen[alphabet] = data_coding
    unknown = [data_coding for data_coding in inward if data_coding not in table]
    alphabets = ", ".join(
        f"0x{one:02X}: {dcs.alphabets.get(one, 'gsm7')}" for one in [*dcs.alphabets, *unknown]
    )
    extra = f", alphabets: {{{alphabets}}}" if alphabets else ""
    return [
        f"# data_coding of subscribers: {_hex(inward)}; of the gateway: {_hex(outward)}",
        *(f"# 0x{one:02X} is in no table; gsm7 is a guess" for one in unknown),
        f"dcs: {{table: {dcs.table}, gsm7: 0x{chosen['gsm7']:02X}, ucs2: 0x{chosen['ucs2']:02X}{extra}}}",
    ]


def _addresses(candidate: Candidate) -> list[str]:
    kinds = Counter((pdu.source_addr_ton, pdu.source_addr_npi) for pdu in _inward(candidate))
    addr = candidate.profile.file.addr
    (ton, npi), how = (kinds.most_common()[0][0], _SEEN) if kinds else ((addr.ton, addr.npi), _NOT_SEEN)
    return [f"addr: {{ton: {ton}, npi: {npi}}}   # {how}"]


def _extra_tlvs(candidate: Candidate) -> list[str]:
    """TLVs that all messages of the gateway carry with one value, and TLVs that it gives back."""
    outward, inward = _outward(candidate), _inward(candidate)
    used = {one.tlv for one in candidate.profile.file.session} | session_tags(candidate.dialogues)
    plain = used | {USSD_SERVICE_OP, MESSAGE_PAYLOAD}
    known = candidate.profile.file.extra_tlvs
    shared = set.intersection(*(set(pdu.tlvs) for pdu in outward)) - plain if outward else set()
    constant = {
        tag: outward[0].tlvs[tag].hex() for tag in shared if len({pdu.tlvs[tag] for pdu in outward}) == 1
    }
    extra = {**known, **constant}
    values = [f'0x{tag:04X}: "{value}"' for tag, value in extra.items()]
    lines = [f"extra_tlvs: {{{', '.join(values)}}}"] if values else []
    echoed = sorted(tag for tag in shared - extra.keys() if any(tag in pdu.tlvs for pdu in inward))
    if echoed:
        lines.append(f"echo: [{', '.join(f'0x{tag:04X}' for tag in echoed)}]   # seen")
    only_in = {tag for pdu in inward for tag in pdu.tlvs} - plain - extra.keys() - set(echoed)
    lines += [
        f"# {tlv_name(tag)} comes from the centre, and nothing is done with it" for tag in sorted(only_in)
    ]
    return lines


def _hex(values: Counter[int]) -> str:
    return ", ".join(f"0x{value:02X} ({times}×)" for value, times in values.most_common()) or "none seen"


def _word(word: Word) -> str:
    return str(word) if isinstance(word, int) else _quoted(word)


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\u{ord(character):04x}"


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "·" for character in text)
