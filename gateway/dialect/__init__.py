"""Dialects: the one place that knows both PDUs and turns.

Every vendor speaks USSD over SMPP in a way of its own: where the dialled code stands, which TLV names the
dialogue, which number or which service_type means "asks for an answer". None of that is code here. A dialect is a
profile, a YAML file in ``gateway/dialects``, and both ends of the wire read the same one: the gateway through
`Profile.read` and `Profile.write`, the simulator's USSD centre through their mirror images `Profile.indicate` and
`Profile.interpret`.
"""

from gateway.dialect.loading import load_profile, profile_names, profile_source, read_profile
from gateway.dialect.profile import Profile
from gateway.dialect.shape import ProfileFile
from gateway.dialect.words import (
    DialectError,
    Inbound,
    IndicationKind,
    Message,
    Outbound,
    PushKind,
    Reply,
    ReplyKind,
    Word,
)
from gateway.smpp.vocabulary import ITS_SESSION_INFO

__all__ = [
    "ITS_SESSION_INFO",
    "DialectError",
    "Inbound",
    "IndicationKind",
    "Message",
    "Outbound",
    "Profile",
    "ProfileFile",
    "PushKind",
    "Reply",
    "ReplyKind",
    "Word",
    "load_profile",
    "profile_names",
    "profile_source",
    "read_profile",
]
