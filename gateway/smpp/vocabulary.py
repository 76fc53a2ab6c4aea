"""The numbers of SMPP 3.4 and their names.

They are smpplib's wherever it agrees with the specification. Where it does not, the correction stands here:

* the description of ESME_RINVREGDLVFLG is missing there; Table 5-2 has one;
* its table of states (``COMMAND_STATES``) contradicts Table 2-1 for query_sm, cancel_sm and replace_sm, and knows
  submit_multi under a name that no command has. It is not used: see ``states``.
"""

from collections.abc import Mapping
from types import MappingProxyType

from smpplib import command_codes, consts

ESME_ROK = consts.SMPP_ESME_ROK
ESME_RINVMSGLEN = consts.SMPP_ESME_RINVMSGLEN
ESME_RINVCMDLEN = consts.SMPP_ESME_RINVCMDLEN
ESME_RINVCMDID = consts.SMPP_ESME_RINVCMDID
ESME_RINVBNDSTS = consts.SMPP_ESME_RINVBNDSTS
ESME_RALYBND = consts.SMPP_ESME_RALYBND
ESME_RSYSERR = consts.SMPP_ESME_RSYSERR
ESME_RINVSRCADR = consts.SMPP_ESME_RINVSRCADR
ESME_RINVDSTADR = consts.SMPP_ESME_RINVDSTADR
ESME_RINVMSGID = consts.SMPP_ESME_RINVMSGID
ESME_RBINDFAIL = consts.SMPP_ESME_RBINDFAIL
ESME_RINVPASWD = consts.SMPP_ESME_RINVPASWD
ESME_RINVSYSID = consts.SMPP_ESME_RINVSYSID
ESME_RCANCELFAIL = consts.SMPP_ESME_RCANCELFAIL
ESME_RREPLACEFAIL = consts.SMPP_ESME_RREPLACEFAIL
ESME_RMSGQFUL = consts.SMPP_ESME_RMSGQFUL
ESME_RINVSERTYP = consts.SMPP_ESME_RINVSERTYP
ESME_RINVNUMDESTS = consts.SMPP_ESME_RINVNUMDESTS
ESME_RINVDESTFLAG = consts.SMPP_ESME_RINVDESTFLAG
ESME_RINVESMCLASS = consts.SMPP_ESME_RINVESMCLASS
ESME_RSUBMITFAIL = consts.SMPP_ESME_RSUBMITFAIL
ESME_RTHROTTLED = consts.SMPP_ESME_RTHROTTLED
ESME_RX_T_APPN = consts.SMPP_ESME_RX_T_APPN
ESME_RX_P_APPN = consts.SMPP_ESME_RX_P_APPN
ESME_RX_R_APPN = consts.SMPP_ESME_RX_R_APPN
ESME_RQUERYFAIL = consts.SMPP_ESME_RQUERYFAIL
ESME_RINVOPTPARSTREAM = consts.SMPP_ESME_RINVOPTPARSTREAM
ESME_ROPTPARNOTALLWD = consts.SMPP_ESME_ROPTPARNOTALLWD
ESME_RINVPARLEN = consts.SMPP_ESME_RINVPARLEN
ESME_RMISSINGOPTPARAM = consts.SMPP_ESME_RMISSINGOPTPARAM
ESME_RINVOPTPARAMVAL = consts.SMPP_ESME_RINVOPTPARAMVAL
ESME_RDELIVERYFAILURE = consts.SMPP_ESME_RDELIVERYFAILURE
ESME_RUNKNOWNERR = consts.SMPP_ESME_RUNKNOWNERR

STATUS_NAMES: Mapping[int, str] = MappingProxyType(
    {
        value: name.removeprefix("SMPP_")
        for name, value in vars(consts).items()
        if name.startswith("SMPP_ESME_")
    }
)
"""``{0x58: "ESME_RTHROTTLED", …}``: all of Table 5-2."""

STATUS_CODES: Mapping[str, int] = MappingProxyType({name: value for value, name in STATUS_NAMES.items()})
"""``{"ESME_RTHROTTLED": 0x58, …}``."""

STATUS_DESCRIPTIONS: Mapping[int, str] = MappingProxyType(
    consts.DESCRIPTIONS | {consts.SMPP_ESME_RINVREGDLVFLG: "Invalid Registered Delivery Flag"}
)

COMMAND_IDS: Mapping[str, int] = MappingProxyType(dict(command_codes.commands))
"""``{"submit_sm": 0x00000004, …}``: Table 5-1."""

COMMAND_NAMES: Mapping[int, str] = MappingProxyType({value: name for name, value in COMMAND_IDS.items()})

RESPONSE_BIT = 0x80000000
"""Set in the command_id of every response; generic_nack is this bit alone."""

GENERIC_NACK = COMMAND_IDS["generic_nack"]

TLV_TAGS: Mapping[str, int] = MappingProxyType(dict(consts.OPTIONAL_PARAMS))
"""``{"ussd_service_op": 0x0501, …}``: Table 5-7. Any of them may stand in any PDU, and so may others."""

TLV_NAMES: Mapping[int, str] = MappingProxyType({tag: name for name, tag in TLV_TAGS.items()})

USER_MESSAGE_REFERENCE = TLV_TAGS["user_message_reference"]
SAR_MSG_REF_NUM = TLV_TAGS["sar_msg_ref_num"]
SAR_TOTAL_SEGMENTS = TLV_TAGS["sar_total_segments"]
SAR_SEGMENT_SEQNUM = TLV_TAGS["sar_segment_seqnum"]
SC_INTERFACE_VERSION = TLV_TAGS["sc_interface_version"]
RECEIPTED_MESSAGE_ID = TLV_TAGS["receipted_message_id"]
NETWORK_ERROR_CODE = TLV_TAGS["network_error_code"]
MESSAGE_PAYLOAD = TLV_TAGS["message_payload"]
MESSAGE_STATE = TLV_TAGS["message_state"]
USSD_SERVICE_OP = TLV_TAGS["ussd_service_op"]
ITS_SESSION_INFO = TLV_TAGS["its_session_info"]

INTERFACE_VERSION = consts.SMPP_VERSION_34
"""The octet 0x34, not the number 34 (§5.2.4)."""

ESM_CLASS_RECEIPT = 0x04
"""esm_class bits 5-2 in deliver_sm: the short message carries an SMSC delivery receipt (§5.2.12)."""

ESM_CLASS_TYPE_MASK = 0x3C
ESM_CLASS_UDHI = consts.SMPP_GSMFEAT_UDHI
"""esm_class bit 6: short_message begins with a user data header (§5.2.12)."""


def status_name(status: int) -> str:
    """``ESME_RTHROTTLED`` for 0x58; vendor and reserved values (p.114) by number: ``status 0x00000401``."""
    return STATUS_NAMES.get(status) or f"status 0x{status:08X}"


def command_name(command_id: int) -> str:
    """``submit_sm`` for 0x00000004; an unknown one by number: ``command 0x00000200``."""
    return COMMAND_NAMES.get(command_id) or f"command 0x{command_id:08X}"
