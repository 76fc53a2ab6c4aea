"""The message centre: ids, states, schedules, validity, receipts. Time is a number; 0 is 2026-11-22 12:00:00 UTC."""

import pytest

from gateway.smpp.fields import DistributionList, SmeAddress
from gateway.smpp.pdu import (
    AlertNotification,
    CancelSm,
    DataSm,
    DeliverSm,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
    decode,
    encode,
)
from gateway.smpp.receipts import read_receipt
from gateway.smpp.vocabulary import (
    ESME_RCANCELFAIL,
    ESME_RDELIVERYFAILURE,
    ESME_RINVDSTADR,
    ESME_RINVMSGID,
    ESME_RINVNUMDESTS,
    ESME_RMSGQFUL,
    ESME_ROK,
    ESME_RREPLACEFAIL,
    ESME_RSUBMITFAIL,
    STATUS_CODES,
    TLV_TAGS,
)
from smpp_sim.centre import message_centre
from smpp_sim.centre.messages import carried
from smpp_sim.centre.network import Network
from smpp_sim.centre.requests import respond
from smpp_sim.centre.sent_sms import MessageState
from smpp_sim.phones.handset import NotPossible
from smpp_sim.settings import Account, NetworkSettings

IVAN, OLGA = "79260000003", "79260000007"
NOON = 1_795_348_800
SET_DPF, DPF_RESULT = TLV_TAGS["set_dpf"], TLV_TAGS["dpf_result"]
PAYLOAD = TLV_TAGS["message_payload"]


class Stage:
    """A network, one or two ESMEs that take everything, and phones."""

    def __init__(self, **settings):
        accounts = [Account("gw", "secret", serves=("0",)), Account("bank", "money", serves=("9",))]
        self.network = Network(accounts, NetworkSettings(**settings), wall_offset_s=NOON)

    def ask(self, pdu, now=0, system_id="gw"):
        return respond(self.network, system_id, pdu, now)

    def submit(self, text=b"text", to=IVAN, now=0, source="000110", **fields):
        pdu = SubmitSm(source_addr=source, destination_addr=to, short_message=text, **fields)
        response = self.ask(pdu, now)
        assert response.command_status == ESME_ROK, hex(response.command_status)
        return response.message_id

    def query(self, message_id, now=0):
        response = self.ask(QuerySm(message_id=message_id, source_addr="000110"), now)
        assert response.command_status == ESME_ROK, hex(response.command_status)
        return MessageState(response.message_state), response.final_date, response.error_code

    def state(self, message_id):
        return self.query(message_id)[0].name

    def switch(self, on, now=0, msisdn=IVAN):
        self.network.switch(msisdn, on, now)

    def inbox(self, msisdn=IVAN):
        return [sms.text for sms in self.network.station(msisdn).inbox.messages]

    def came(self, now=0, system_id="gw"):
        """What the ESME gets now."""
        pdus = []
        while delivery := self.network.take(system_id, now):
            self.network.taken(system_id, delivery, ESME_ROK, now)
            pdus.append(delivery.pdu)
        return pdus

    def receipts(self, now=0):
        return [read_receipt(pdu) for pdu in self.came(now)]


# --- waiting ------------------------------------------------------------------------------------------------------


def test_a_message_waits_for_a_phone_that_is_off_and_arrives_when_it_is_on():
    stage = Stage()
    stage.switch(on=False)
    ids = [stage.submit(text) for text in (b"one", b"two")]
    assert stage.query(ids[0]) == (MessageState.ENROUTE, "", 0)
    assert stage.inbox() == []
    stage.switch(on=True, now=90)
    assert stage.inbox() == ["one", "two"]
    assert stage.query(ids[0]) == (MessageState.DELIVERED, "261122120130000+", 0)


def test_a_message_expires_after_its_validity():
    stage = Stage()
    stage.switch(on=False)
    message_id = stage.submit(validity_period="000000000100000R", registered_delivery=1)
    assert stage.network.deadline(0) == 60
    stage.network.on_deadline(59)
    assert stage.state(message_id) == "ENROUTE"
    stage.network.on_deadline(60)
    assert stage.query(message_id) == (MessageState.EXPIRED, "261122120100000+", 27)
    (receipt,) = stage.receipts(60)
    assert (receipt.message_id, receipt.state, receipt.delivered) == (message_id, "EXPIRED", 0)
    stage.switch(on=True, now=61)
    assert stage.inbox() == []
    assert stage.network.deadline(61) is None


def test_without_a_validity_the_network_has_one():
    stage = Stage(sms_validity_s=100)
    stage.switch(on=False)
    message_id = stage.submit()
    stage.network.on_deadline(99.9)
    assert stage.state(message_id) == "ENROUTE"
    stage.network.on_deadline(100)
    assert stage.state(message_id) == "EXPIRED"


@pytest.mark.parametrize("schedule", ["000000001000000R", "261122121000000+", "261122151000012+"])
def test_a_message_is_not_delivered_before_its_time(schedule):
    stage = Stage()
    message_id = stage.submit(schedule_delivery_time=schedule)
    stage.network.on_deadline(599)
    assert (stage.state(message_id), stage.inbox()) == ("ENROUTE", [])
    assert stage.network.deadline(599) == 600
    stage.network.on_deadline(600)
    assert (stage.state(message_id), stage.inbox()) == ("DELIVERED", ["text"])


def test_a_scheduled_message_is_not_delivered_early_by_a_phone_that_comes_back():
    stage = Stage()
    stage.switch(on=False)
    stage.submit(schedule_delivery_time="000000001000000R")
    stage.switch(on=True, now=10)
    assert stage.inbox() == []
    stage.network.on_deadline(600)
    assert stage.inbox() == ["text"]


def test_a_schedule_that_is_past_means_now():
    stage = Stage()
    stage.submit(schedule_delivery_time="261122110000000+")
    assert stage.inbox() == ["text"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"schedule_delivery_time": "soon"}, "ESME_RINVSCHED"),
        ({"validity_period": "260230000000000+"}, "ESME_RINVEXPIRY"),
        ({"validity_period": "261122115959000+"}, "ESME_RINVEXPIRY"),
        (
            {"schedule_delivery_time": "000000001000000R", "validity_period": "000000000900000R"},
            "ESME_RINVEXPIRY",
        ),
        ({"registered_delivery": 0x20}, "ESME_RINVREGDLVFLG"),
        ({"priority_flag": 4}, "ESME_RINVPRTFLG"),
        ({"replace_if_present_flag": 2}, "ESME_RINVREPFLAG"),
        ({"sm_default_msg_id": 1}, "ESME_RINVDFTMSGID"),
        ({"destination_addr": "nobody"}, "ESME_RINVDSTADR"),
    ],
)
def test_what_cannot_be_is_refused_by_its_own_status(fields, status):
    stage = Stage()
    pdu = SubmitSm(**{"source_addr": "000110", "destination_addr": IVAN, **fields})
    assert stage.ask(pdu).command_status == STATUS_CODES[status]
    assert stage.inbox() == []


def test_only_so_many_may_wait():
    stage = Stage(max_waiting=2)
    stage.switch(on=False)
    stage.submit()
    stage.submit()
    assert stage.ask(SubmitSm(destination_addr=IVAN)).command_status == ESME_RMSGQFUL
    stage.switch(on=True)
    stage.submit()


def test_a_number_that_nobody_has():
    stage = Stage(unknown_numbers=("7999",))
    message_id = stage.submit(to="79990000001", registered_delivery=1)
    assert stage.query(message_id) == (MessageState.UNDELIVERABLE, "261122120000000+", 1)
    (pdu,) = stage.came()
    assert pdu.tlvs[TLV_TAGS["network_error_code"]] == b"\x03\x00\x01"
    receipt = read_receipt(pdu)
    assert (receipt.state, receipt.error) == ("UNDELIV", "001")


def test_messages_that_are_over_are_forgotten_some_time(monkeypatch):
    monkeypatch.setattr(message_centre, "MAX_REMEMBERED", 3)
    stage = Stage()
    ids = [stage.submit() for _ in range(5)]
    assert stage.ask(QuerySm(message_id=ids[1])).command_status == ESME_RINVMSGID
    assert stage.state(ids[2]) == "DELIVERED"
    assert len(list(stage.network.sms.messages())) == 3


def test_times_of_messages_that_are_over_do_not_pile_up():
    stage = Stage()
    stage.switch(on=False)
    for _ in range(5000):
        stage.ask(CancelSm(message_id=stage.submit()))
    assert len(stage.network.sms._times) < 1100


# --- receipts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registered_delivery", "success", "failure"), [(0, 0, 0), (1, 1, 1), (2, 0, 1), (3, 1, 0)]
)
def test_a_receipt_is_sent_when_it_is_wanted(registered_delivery, success, failure):
    stage = Stage()
    stage.submit(registered_delivery=registered_delivery)
    assert [receipt.state for receipt in stage.receipts()] == ["DELIVRD"] * success
    stage.switch(on=False)
    stage.ask(CancelSm(message_id=stage.submit(registered_delivery=registered_delivery)))
    assert [receipt.state for receipt in stage.receipts()] == ["DELETED"] * failure


def test_a_notification_on_the_way_is_sent_once():
    stage = Stage()
    stage.switch(on=False)
    message_id = stage.submit(registered_delivery=0x11)
    (pdu,) = stage.came()
    assert pdu.esm_class == 0x20
    assert b"stat:ENROUTE" in pdu.short_message
    assert pdu.tlvs[TLV_TAGS["message_state"]] == b"\x01"
    stage.switch(on=True, now=1)
    (receipt,) = stage.receipts(1)
    assert (receipt.message_id, receipt.state) == (message_id, "DELIVRD")


def test_the_phone_and_its_owner_acknowledge():
    stage = Stage()
    reference = {TLV_TAGS["user_message_reference"]: b"\x00\x2a"}
    stage.submit(registered_delivery=0x0C, tlvs=reference)
    (delivered,) = stage.came()
    assert (delivered.esm_class, delivered.source_addr, delivered.tlvs) == (0x08, IVAN, reference)
    stage.network.read(IVAN, 5)
    (read,) = stage.came(5)
    assert (read.esm_class, read.destination_addr, read.tlvs) == (0x10, "000110", reference)
    stage.network.read(IVAN, 6)
    assert stage.came(6) == []


@pytest.mark.parametrize("state", ["REJECTED", "ACCEPTED", "UNDELIVERABLE", "EXPIRED", "DELETED"])
def test_a_tester_decides_how_a_message_ends(state):
    stage = Stage()
    stage.switch(on=False)
    message_id = stage.submit(registered_delivery=1)
    sms = stage.network.sms
    sms.settle(sms.message(message_id), MessageState[state], 7)
    assert stage.state(message_id) == state
    assert len(stage.came(7)) == 1
    with pytest.raises(NotPossible, match=f"{message_id} is {state} already"):
        sms.settle(sms.message(message_id), MessageState.REJECTED, 8)
    stage.switch(on=True, now=9)
    assert stage.inbox() == []


# --- query, cancel, replace ---------------------------------------------------------------------------------------


def test_nobody_sees_the_messages_of_others():
    stage = Stage()
    message_id = stage.submit()
    assert stage.ask(QuerySm(message_id=message_id), system_id="bank").command_status == ESME_RINVMSGID
    wrong_source = QuerySm(message_id=message_id, source_addr="000999")
    assert stage.ask(wrong_source).command_status == ESME_RINVMSGID


def test_a_message_that_waits_is_taken_back():
    stage = Stage()
    stage.switch(on=False)
    message_id = stage.submit()
    cancel = CancelSm(message_id=message_id, source_addr="000110")
    assert stage.ask(cancel, system_id="bank").command_status == ESME_RCANCELFAIL
    assert stage.ask(cancel).command_status == ESME_ROK
    assert stage.state(message_id) == "DELETED"
    assert stage.ask(cancel).command_status == ESME_RCANCELFAIL
    stage.switch(on=True)
    assert stage.inbox() == []


def test_a_message_that_is_on_its_phone_cannot_be_taken_back():
    stage = Stage()
    message_id = stage.submit()
    assert stage.ask(CancelSm(message_id=message_id)).command_status == ESME_RCANCELFAIL
    assert stage.state(message_id) == "DELIVERED"


def test_messages_are_taken_back_by_service_source_and_destination():
    stage = Stage()
    for msisdn in (IVAN, OLGA):
        stage.switch(on=False, msisdn=msisdn)
    stage.submit(b"news", service_type="NEWS")
    stage.submit(b"bill", service_type="BILL")
    stage.submit(b"of another source", source="000111", service_type="NEWS")
    stage.submit(b"to another phone", to=OLGA, service_type="NEWS")
    cancel = CancelSm(service_type="NEWS", source_addr="000110", destination_addr=IVAN)
    assert stage.ask(cancel).command_status == ESME_ROK
    assert stage.ask(cancel).command_status == ESME_RCANCELFAIL
    for msisdn in (IVAN, OLGA):
        stage.switch(on=True, msisdn=msisdn)
    assert stage.inbox() == ["bill", "of another source"]
    assert stage.inbox(OLGA) == ["to another phone"]


def test_messages_of_all_services_are_taken_back_when_none_is_named():
    stage = Stage()
    stage.switch(on=False)
    for service_type in ("NEWS", "BILL", ""):
        stage.submit(service_type=service_type)
    assert stage.ask(CancelSm(source_addr="000110", destination_addr=IVAN)).command_status == ESME_ROK
    stage.switch(on=True)
    assert stage.inbox() == []


def test_a_message_that_waits_is_replaced():
    stage = Stage()
    stage.switch(on=False)
    message_id = stage.submit(b"old", registered_delivery=1)
    replace = ReplaceSm(message_id=message_id, source_addr="000110", short_message=b"new")
    assert stage.ask(replace).command_status == ESME_ROK
    stage.switch(on=True)
    assert stage.inbox() == ["new"]
    assert stage.came() == []
    assert stage.ask(replace).command_status == ESME_RREPLACEFAIL


def test_schedule_and_validity_are_replaced_and_stay_when_none_is_given():
    stage = Stage()
    message_id = stage.submit(schedule_delivery_time="000000001000000R", validity_period="000000010000000R")
    later = {"schedule_delivery_time": "000000003000000R", "validity_period": "000000004000000R"}
    stage.ask(ReplaceSm(message_id=message_id, short_message=b"later", **later))
    stage.ask(ReplaceSm(message_id=message_id, short_message=b"last"))
    stage.network.on_deadline(600)
    assert stage.inbox() == []
    stage.switch(on=False)
    stage.network.on_deadline(1800)
    assert stage.state(message_id) == "ENROUTE"
    stage.network.on_deadline(2400)
    assert stage.state(message_id) == "EXPIRED"


def test_a_schedule_that_is_brought_forward_counts():
    stage = Stage()
    message_id = stage.submit(schedule_delivery_time="000000001000000R")
    stage.ask(
        ReplaceSm(message_id=message_id, schedule_delivery_time="000000000500000R", short_message=b"now")
    )
    stage.network.on_deadline(300)
    assert stage.inbox() == ["now"]


def test_a_message_takes_the_place_of_one_like_it():
    stage = Stage()
    stage.switch(on=False)
    old = stage.submit(b"balance 5", service_type="BAL")
    other = stage.submit(b"news", service_type="NEWS")
    stage.submit(b"balance 7", service_type="BAL", replace_if_present_flag=1)
    assert (stage.state(old), stage.state(other)) == ("DELETED", "ENROUTE")
    stage.switch(on=True)
    assert stage.inbox() == ["news", "balance 7"]


# --- many recipients ----------------------------------------------------------------------------------------------


def many(*to, **fields):
    return SubmitMulti(source_addr="000110", dest_addresses=list(to), short_message=b"all", **fields)


def test_each_recipient_has_his_own_delivery_under_one_id():
    stage = Stage()
    stage.switch(on=False, msisdn=OLGA)
    response = stage.ask(many(SmeAddress(1, 1, IVAN), SmeAddress(1, 1, OLGA), registered_delivery=1))
    assert (response.command_status, response.unsuccess_smes) == (ESME_ROK, [])
    assert stage.state(response.message_id) == "ENROUTE"
    first = stage.came()
    stage.switch(on=True, now=5, msisdn=OLGA)
    assert stage.state(response.message_id) == "DELIVERED"
    receipts = first + stage.came(5)
    assert [pdu.source_addr for pdu in receipts] == [IVAN, OLGA]
    assert {read_receipt(pdu).message_id for pdu in receipts} == {response.message_id}


def test_a_distribution_list_is_sent_to_its_members():
    stage = Stage(distribution_lists={"family": (IVAN, OLGA)})
    response = stage.ask(
        many(DistributionList("family"), DistributionList("strangers"), SmeAddress(1, 1, "?"))
    )
    assert stage.inbox() == stage.inbox(OLGA) == ["all"]
    failed = [(one.destination_addr, one.error_status_code) for one in response.unsuccess_smes]
    assert failed == [("strangers", STATUS_CODES["ESME_RINVDLNAME"]), ("?", ESME_RINVDSTADR)]


def test_a_message_to_nobody():
    stage = Stage()
    assert stage.ask(many()).command_status == ESME_RINVNUMDESTS
    response = stage.ask(many(SmeAddress(1, 1, "?")))
    assert response.command_status == ESME_RSUBMITFAIL
    assert len(response.unsuccess_smes) == 1


def test_taking_back_reaches_only_those_who_do_not_have_it():
    stage = Stage()
    stage.switch(on=False, msisdn=OLGA)
    response = stage.ask(many(SmeAddress(1, 1, IVAN), SmeAddress(1, 1, OLGA)))
    assert stage.ask(CancelSm(message_id=response.message_id)).command_status == ESME_ROK
    stage.switch(on=True, msisdn=OLGA)
    assert (stage.inbox(), stage.inbox(OLGA)) == (["all"], [])
    assert stage.state(response.message_id) == "DELETED"


# --- data_sm ------------------------------------------------------------------------------------------------------


def test_a_phone_that_comes_back_is_reported_to_who_asked_for_it():
    stage = Stage()
    stage.switch(on=False)
    pdu = DataSm(source_addr="000110", destination_addr=IVAN, tlvs={PAYLOAD: b"hi", SET_DPF: b"\x01"})
    response = stage.ask(pdu)
    assert (response.command_status, response.tlvs[DPF_RESULT]) == (ESME_ROK, b"\x01")
    stage.switch(on=True, now=3)
    (notification,) = stage.came(3)
    assert isinstance(notification, AlertNotification)
    assert (notification.source_addr, notification.esme_addr) == (IVAN, "000110")
    assert stage.inbox() == ["hi"]
    stage.switch(on=False, now=4)
    stage.switch(on=True, now=5)
    assert stage.came(5) == []


def test_a_message_in_transaction_mode_fails_at_once():
    stage = Stage()
    stage.switch(on=False)
    pdu = DataSm(destination_addr=IVAN, esm_class=0x02, tlvs={PAYLOAD: b"now or never"})
    response = stage.ask(pdu)
    assert response.command_status == ESME_RDELIVERYFAILURE
    assert response.tlvs[TLV_TAGS["delivery_failure_reason"]] == b"\x00"
    stage.switch(on=True)
    assert stage.inbox() == []
    assert stage.ask(pdu).command_status == ESME_ROK
    assert stage.inbox() == ["now or never"]


def test_a_submit_sm_in_transaction_mode_has_no_id_when_it_fails():
    stage = Stage()
    stage.switch(on=False)
    response = stage.ask(SubmitSm(destination_addr=IVAN, esm_class=0x02, short_message=b"now"))
    assert (response.command_status, response.message_id) == (ESME_RDELIVERYFAILURE, "")


def test_a_datagram_is_not_stored():
    stage = Stage()
    stage.switch(on=False)
    message_id = stage.submit(esm_class=0x01)
    assert stage.state(message_id) == "UNDELIVERABLE"


# --- texts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deliver_by", ["deliver_sm", "data_sm"])
@pytest.mark.parametrize("form", ["udh8", "udh16", "sar", "payload"])
def test_a_long_sms_leaves_a_phone_in_any_form_and_is_read_in_any_command(form, deliver_by):
    text = "Уважаемый абонент! " * 9
    network = Network([Account("gw", "secret", long_form=form)], NetworkSettings())
    network.send_sms(IVAN, "000110", text, 0)
    while delivery := network.take("gw", 0):
        network.taken("gw", delivery, ESME_ROK, 0)
        pdu = carried(delivery.pdu, SubmitSm if deliver_by == "deliver_sm" else DataSm)
        pdu.destination_addr = OLGA
        assert respond(network, "gw", decode(encode(pdu)), 0).command_status == ESME_ROK
    (sms,) = network.station(OLGA).inbox.messages
    assert sms.text == text


def test_a_national_table_is_read():
    """TS 23.040 §9.2.3.24.15: single shift table 1, Turkish, in which escape 0x53 is S with cedilla."""
    stage = Stage()
    stage.submit(b"\x03\x24\x01\x01" + b"\x1b\x53", esm_class=0x40, registered_delivery=1)
    assert stage.inbox() == ["Ş"]


# --- the other role -----------------------------------------------------------------------------------------------


def test_a_deliver_sm_of_a_gateway_is_a_message_without_an_id():
    stage = Stage()
    pdu = DeliverSm(
        source_addr="000110", destination_addr=IVAN, short_message=b"hello", registered_delivery=1
    )
    response = stage.ask(pdu)
    assert (response.name, response.command_status, response.message_id) == ("deliver_sm_resp", ESME_ROK, "")
    assert stage.inbox() == ["hello"]
    assert stage.came() == []


# --- phones that are off ------------------------------------------------------------------------------------------


def test_a_phone_that_is_off_can_do_nothing():
    network = Stage().network
    network.switch(IVAN, False, 0)
    for act in (
        lambda: network.dial(IVAN, "*000#", 0),
        lambda: network.send_sms(IVAN, "000110", "", 0),
        lambda: network.read(IVAN, 0),
    ):
        with pytest.raises(NotPossible, match="switched off"):
            act()
    assert network.station(IVAN).handset.state.value == "off"
    assert [event.kind for event in network.station(IVAN).log.after(0)] == ["off"]
    network.switch(IVAN, True, 1)
    network.dial(IVAN, "*000#", 1)


def test_switching_off_ends_the_dialogue():
    stage = Stage()
    stage.network.dial(IVAN, "*000#", 0)
    assert len(stage.came()) == 1
    stage.switch(on=False, now=1)
    assert stage.network.station(IVAN).dialogue is None
    assert len(stage.came(1)) == 1, "the ESME is told that the dialogue is over"
