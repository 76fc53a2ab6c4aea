from gateway.smpp import vocabulary
from gateway.smpp.vocabulary import command_name, status_name


def test_every_status_has_a_name_and_a_description():
    assert set(vocabulary.STATUS_NAMES) == set(vocabulary.STATUS_DESCRIPTIONS)
    assert len(vocabulary.STATUS_NAMES) == 48, "rows of Table 5-2"
    assert all(description.strip("<>") for description in vocabulary.STATUS_DESCRIPTIONS.values())


def test_what_smpplib_leaves_out_is_there():
    code = vocabulary.STATUS_CODES["ESME_RINVREGDLVFLG"]
    assert vocabulary.STATUS_DESCRIPTIONS[code] == "Invalid Registered Delivery Flag"


def test_names():
    assert status_name(0x58) == "ESME_RTHROTTLED"
    assert status_name(0x400) == "status 0x00000400"
    assert command_name(0x103) == "data_sm"
    assert command_name(0x112) == "command 0x00000112"


def test_tags_that_the_rest_relies_on():
    assert vocabulary.USSD_SERVICE_OP == 0x0501
    assert vocabulary.ITS_SESSION_INFO == 0x1383
    assert vocabulary.USER_MESSAGE_REFERENCE == 0x0204
    assert vocabulary.TLV_NAMES[0x0424] == "message_payload"


def test_interface_version_is_hexadecimal():
    assert vocabulary.INTERFACE_VERSION == 0x34
