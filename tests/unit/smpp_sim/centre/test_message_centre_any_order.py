"""Whatever ESMEs, phones and the clock do, in any order: nothing is lost, nothing ends twice, nothing piles up."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp.fields import SmeAddress
from gateway.smpp.pdu import CancelSm, DataSm, ReplaceSm, SubmitMulti, SubmitSm
from gateway.smpp.receipts import read_receipt
from gateway.smpp.vocabulary import ESME_ROK
from smpp_sim.centre.network import Network
from smpp_sim.centre.requests import respond
from smpp_sim.centre.sent_sms import MessageState
from smpp_sim.settings import Account, NetworkSettings

NUMBERS = ("79260000001", "79260000002", "79990000003")
SPANS = ("", "000000000005000R", "000000000100000R", "never")

number = st.sampled_from(NUMBERS)
span = st.sampled_from(SPANS)
deeds = st.one_of(
    st.builds(
        SubmitSm,
        source_addr=st.just("000110"),
        destination_addr=number,
        service_type=st.sampled_from(("", "NEWS")),
        schedule_delivery_time=span,
        validity_period=span,
        replace_if_present_flag=st.integers(0, 2),
        registered_delivery=st.just(1),
        esm_class=st.integers(0, 3),
        short_message=st.binary(max_size=9),
    ),
    st.builds(
        SubmitMulti,
        source_addr=st.just("000110"),
        dest_addresses=st.lists(st.builds(SmeAddress, st.just(1), st.just(1), number), max_size=3),
        validity_period=span,
        registered_delivery=st.just(1),
    ),
    st.builds(DataSm, source_addr=st.just("000110"), destination_addr=number, registered_delivery=st.just(1)),
    st.builds(
        CancelSm,
        message_id=st.integers(0, 9).map(lambda count: f"{count:08x}" if count else ""),
        source_addr=st.just("000110"),
        destination_addr=number,
    ),
    st.builds(
        ReplaceSm,
        message_id=st.integers(1, 9).map(lambda count: f"{count:08x}"),
        schedule_delivery_time=span,
        validity_period=span,
        registered_delivery=st.just(1),
        short_message=st.binary(max_size=9),
    ),
    st.tuples(number, st.booleans()),
    st.sampled_from((1.0, 5.0, 60.0)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(deeds, max_size=40))
def test_every_copy_ends_once_and_is_told_once(happenings):
    network = Network(
        [Account("gw", "secret")], NetworkSettings(sms_validity_s=90, unknown_numbers=("7999",))
    )
    now, told = 0.0, Counter()
    for happening in happenings:
        match happening:
            case float(seconds):
                now += seconds
                network.on_deadline(now)
            case (msisdn, on):
                network.switch(msisdn, on, now)
            case request:
                respond(network, "gw", request, now)
        check(network, now)
        told.update(receipts(network, now))
    network.on_deadline(now + 100_000)
    copies = [copy for message in network.sms.messages() for copy in message.copies]
    assert all(copy.final is not None for copy in copies), "something waits for ever"
    assert network.sms.deadline() is None
    told.update(receipts(network, now + 100_000))
    assert told == Counter((copy.message.message_id, copy.msisdn) for copy in copies), "one receipt for each"


def check(network, now):
    sms = network.sms
    waiting = [copy for message in sms.messages() for copy in message.waiting]
    assert sms._waiting_count == len(waiting) == sum(map(len, sms._waiting.values()))
    for copy in waiting:
        due_later = copy.message.due > now
        assert due_later or not network.station(copy.msisdn).on, "it could be on its phone"
        assert copy.message.expires > now or sms.deadline() <= now
    for message in sms.messages():
        for copy in message.copies:
            assert (copy.state is MessageState.ENROUTE) == (copy.final is None)


def receipts(network, now):
    while delivery := network.take("gw", now):
        network.taken("gw", delivery, ESME_ROK, now)
        yield read_receipt(delivery.pdu).message_id, delivery.pdu.source_addr
