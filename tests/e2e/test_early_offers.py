# SPDX-License-Identifier: Apache-2.0
"""A session that changes while the called side rings: offers in PRACK and UPDATE, with SIPp on both sides."""

from lab.gateway import CM_80
from lab.scenario import sdp
from test_signalling import CALLEE, CALLER, caller, callee, carriers, crypto_keys, messages, uac, uas

ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"


def said(address, version, direction):
    """A description whose key is its version's own."""
    return sdp(address, crypto=[f"1 {CM_80} inline:{chr(96 + version) * 40}"], version=version, direction=direction)


def test_prack_and_update_with_offers():
    with carriers(suites=(CM_80,)) as (lab, gateway):
        b = callee(lab, uas("rings").receive("INVITE", store_routes=True, keep=("Via", "From", "To", "CSeq"))
                   .answer(183, "Session Progress", said(CALLEE, 1, "sendrecv"), ["Require: 100rel", "RSeq: 7", ALLOW])
                   .receive("PRACK", matches="RAck: 7 [0-9]+ INVITE").answer_in_dialog(200, "OK")
                   .receive("UPDATE", matches="a=sendonly").answer_in_dialog(200, "OK", said(CALLEE, 2, "recvonly"))
                   .receive("UPDATE", matches="a=sendrecv").answer_in_dialog(200, "OK", said(CALLEE, 3, "sendrecv"))
                   .request_back("UPDATE", 1, said(CALLEE, 4, "sendonly")).receive(200, matches="a=recvonly")
                   .answer_kept(200, "OK").receive("ACK").receive("BYE").answer_in_dialog(200, "OK"))
        a = caller(lab, uac("changes").invite("+4940200", said(CALLER, 1, "sendrecv"),
                                              headers=["Supported: 100rel", ALLOW])
                   .receive(100, optional=True)
                   .receive(183, store_routes=True, matches="Require: 100rel", keep=("RSeq",))
                   .request("PRACK", 2, ("application/sdp", said(CALLER, 2, "sendonly")), ["RAck: [$RSeq] 1 INVITE"])
                   .receive(200, matches=["CSeq: 2 PRACK", "a=recvonly"])
                   .request("UPDATE", 3, ("application/sdp", said(CALLER, 3, "sendrecv")),
                            [f"Contact: <sip:a@{CALLER}:5061;transport=tls>"])
                   .receive(200, matches=["CSeq: 3 UPDATE", "a=sendrecv"])
                   .receive("UPDATE", matches="a=sendonly").answer_in_dialog(200, "OK", said(CALLER, 4, "recvonly"))
                   .receive(200, matches="CSeq: 1 INVITE", lacks="m=audio")
                   .ack().request("BYE", cseq=4).receive(200))
        a.finish()
        b.finish()
        ours = [key for log, what in ((a, "SIP/2.0 (183|200)"), (a, "UPDATE"), (b, "INVITE"), (b, "UPDATE"),
                                      (b, "SIP/2.0 200")) for m in messages(log.log(), what) for key in crypto_keys(m)]
        ours = [key for key in ours if len(set(key)) > 1]  # those of SIPp are one letter
        assert len(ours) == 8 and len(set(ours)) == 8, ours
