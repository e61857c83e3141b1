# SPDX-License-Identifier: Apache-2.0
"""SIPp scenarios written as steps, so that a test reads like the trace it expects."""

from xml.sax.saxutils import quoteattr


def sdp(address="[local_ip]", port=30000, proto="RTP/SAVP", crypto=(), direction="sendrecv", version=1, extra=(),
        codecs="0 101"):
    """A session description for G.711 and telephone events; crypto: whole a=crypto values."""
    kind = "IP6" if ":" in address else "IP4"
    lines = ["v=0", f"o=sipp 53655765 {version} IN {kind} {address}", "s=-", f"c=IN {kind} {address}", "t=0 0",
             f"m=audio {port} {proto} {codecs}", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000",
             "a=fmtp:101 0-16", "a=ptime:20", f"a={direction}"]
    lines += [f"a=crypto:{c}" for c in crypto]
    return "\n".join([*lines, *extra]) + "\n"


class Scenario:
    """Collects steps; save() writes the XML. [next_url] and friends are SIPp's own words."""

    def __init__(self, name, transport="TLS", user="sipp", contact=None):
        self.name, self.user = name, user
        self.via = transport.upper()
        self.contact = contact or f"sip:{user}@[local_ip]:[local_port];transport={transport.lower()}"
        self.steps, self.responses, self._globals = [], 0, []

    def _send(self, text, **attributes):
        body = "\n".join(line.strip() for line in text.strip("\n").split("\n"))
        flags = "".join(f" {k}={quoteattr(str(v))}" for k, v in attributes.items())
        self.steps.append(f"<send{flags}><![CDATA[\n\n{body}\n\n]]></send>")
        return self

    def _body(self, description):
        if description is None:
            return "Content-Length: 0\n\n"
        return f"Content-Type: application/sdp\nContent-Length: [len]\n\n{description}"

    # As a caller

    def invite(self, to, description, caller=None, headers=(), cseq=1, in_dialog=False):
        """The first INVITE, or with in_dialog a re-INVITE to the learned target."""
        caller = caller or self.user
        target = "[next_url]" if in_dialog else f"sip:{to}@[remote_ip]:[remote_port];transport={self.via.lower()}"
        to_line = "[last_To:]" if in_dialog else f"To: <sip:{to}@[remote_ip]>"
        routes = "[routes]\n" if in_dialog else ""
        self._cseq, self._to, self._caller = cseq, to, caller
        return self._send(f"""INVITE {target} SIP/2.0
            Via: SIP/2.0/{self.via} [local_ip]:[local_port];branch=[branch];rport
            {routes}From: "Caller" <sip:{caller}@[local_ip]>;tag=[pid]c[call_number]
            {to_line}
            Call-ID: [call_id]
            CSeq: {cseq} INVITE
            Contact: <{self.contact}>
            Max-Forwards: 70
            """ + "".join(f"{h}\n" for h in headers) + self._body(description), retrans=500)

    def ack(self, failed=False):
        """For a 2xx, in the dialog; with failed, for an error response, on the INVITE's branch."""
        to = self._to
        target = f"sip:{to}@[remote_ip]:[remote_port];transport={self.via.lower()}" if failed else "[next_url]"
        branch = "[last_Via:]" if failed else f"Via: SIP/2.0/{self.via} [local_ip]:[local_port];branch=[branch];rport"
        return self._send(f"""ACK {target} SIP/2.0
            {branch}
            {'' if failed else '[routes]'}
            From: "Caller" <sip:{self._caller}@[local_ip]>;tag=[pid]c[call_number]
            [last_To:]
            Call-ID: [call_id]
            CSeq: {self._cseq} ACK
            Max-Forwards: 70
            Content-Length: 0

            """.replace("\n            \n            From", "\n            From"))

    def cancel(self):
        return self._send(f"""CANCEL sip:{self._to}@[remote_ip]:[remote_port];transport={self.via.lower()} SIP/2.0
            [last_Via:]
            From: "Caller" <sip:{self._caller}@[local_ip]>;tag=[pid]c[call_number]
            To: <sip:{self._to}@[remote_ip]>
            Call-ID: [call_id]
            CSeq: {self._cseq} CANCEL
            Max-Forwards: 70
            Content-Length: 0

            """)

    def request(self, method, cseq=2, body=None, headers=()):
        """A request in the caller's dialog; body: (content type, text)."""
        more = "".join(f"{h}\n" for h in headers)
        more += f"Content-Type: {body[0]}\nContent-Length: [len]\n\n{body[1]}" if body else "Content-Length: 0\n\n"
        return self._send(f"""{method} [next_url] SIP/2.0
            Via: SIP/2.0/{self.via} [local_ip]:[local_port];branch=[branch];rport
            [routes]
            From: "Caller" <sip:{self._caller}@[local_ip]>;tag=[pid]c[call_number]
            [last_To:]
            Call-ID: [call_id]
            CSeq: {cseq} {method}
            Max-Forwards: 70
            """ + more, retrans=500)

    def message(self, to, text, headers=()):
        """A MESSAGE of no dialog."""
        return self._send(f"""MESSAGE sip:{to}@[remote_ip]:[remote_port] SIP/2.0
            Via: SIP/2.0/{self.via} [local_ip]:[local_port];branch=[branch];rport
            From: <sip:{self.user}@[local_ip]>;tag=[pid]m[call_number]
            To: <sip:{to}@[remote_ip]>
            Call-ID: [call_id]
            CSeq: 1 MESSAGE
            Max-Forwards: 70
            """ + "".join(f"{h}\n" for h in headers) + f"Content-Type: text/plain\nContent-Length: [len]\n\n{text}\n",
            retrans=500)

    def options(self, to="ping"):
        self._to, self._caller, self._cseq = to, self.user, 1
        return self._send(f"""OPTIONS sip:{to}@[remote_ip]:[remote_port];transport={self.via.lower()} SIP/2.0
            Via: SIP/2.0/{self.via} [local_ip]:[local_port];branch=[branch];rport
            From: <sip:{self.user}@[local_ip]>;tag=[pid]o[call_number]
            To: <sip:{to}@[remote_ip]>
            Call-ID: [call_id]
            CSeq: 1 OPTIONS
            Contact: <{self.contact}>
            Max-Forwards: 70
            Content-Length: 0

            """, retrans=500)

    # As a callee

    def answer(self, code, reason, description=None, headers=(), **attributes):
        """A response to the request received last."""
        tag = "" if code == 100 else ";tag=[pid]s[call_number]"
        contact = f"Contact: <{self.contact}>\n" if code < 300 else ""
        return self._send(f"""SIP/2.0 {code} {reason}
            [last_Via:]
            [last_From:]
            [last_To:]{tag}
            [last_Call-ID:]
            [last_CSeq:]
            {contact}""" + "".join(f"{h}\n" for h in headers) + self._body(description), **attributes)

    def answer_in_dialog(self, code, reason, description=None):
        """As answer(), where the To of the request has a tag already."""
        return self._send(f"""SIP/2.0 {code} {reason}
            [last_Via:]
            [last_From:]
            [last_To:]
            [last_Call-ID:]
            [last_CSeq:]
            Contact: <{self.contact}>
            """ + self._body(description))

    def answer_kept(self, code, reason, description=None):
        """To the first request, whose Via, From, To and CSeq were kept, after others in its dialog."""
        return self._send(f"""SIP/2.0 {code} {reason}
            Via: [$Via]
            From: [$From]
            To: [$To];tag=[pid]s[call_number]
            Call-ID: [call_id]
            CSeq: [$CSeq]
            Contact: <{self.contact}>
            """ + self._body(description))

    def request_back(self, method, cseq, description=None):
        """A request of the callee's, to the caller whose From and To were kept and whose route is stored."""
        return self._send(f"""{method} [next_url] SIP/2.0
            Via: SIP/2.0/{self.via} [local_ip]:[local_port];branch=[branch];rport
            [routes]
            From: [$To];tag=[pid]s[call_number]
            To: [$From]
            Call-ID: [call_id]
            CSeq: {cseq} {method}
            Contact: <{self.contact}>
            Max-Forwards: 70
            """ + self._body(description), retrans=500)

    def answer_cancelled(self):
        """200 to the CANCEL received last, then 487 to the INVITE that it cancels, whose branch it shares."""
        self.answer_in_dialog(200, "OK")
        return self._send("""SIP/2.0 487 Request Terminated
            [last_Via:]
            [last_From:]
            [last_To:];tag=[pid]s[call_number]
            [last_Call-ID:]
            CSeq: [last_cseq_number] INVITE
            Content-Length: 0

            """)

    # Either way

    def receive(self, what, optional=False, matches=None, lacks=None, store_routes=False, keep=()):
        """
        A response code or a request's method. matches, lacks: regular expressions of the whole message, lists of
        them too; the call fails when one is not as said. keep: headers whose values are [$Name] from here on, without
        what is no letter.
        """
        key = "response" if isinstance(what, int) else "request"
        flags = ' optional="true"' if optional else ""
        flags += ' rrs="true"' if store_routes else ""
        actions = []
        for pattern, wanted in [*((p, True) for p in _list(matches)), *((p, False) for p in _list(lacks))]:
            self.responses += 1
            check = 'check_it="true"' if wanted else 'check_it_inverse="true"'
            variable = f"v{self.responses}"
            self._globals.append(variable)
            actions.append(f'<ereg regexp={quoteattr(pattern)} search_in="msg" {check} assign_to="{variable}"/>')
        for header in keep:
            variable = "".join(c for c in header if c.isalpha())
            self._globals.append(variable)
            actions.append(f'<ereg regexp="[^ ].*" search_in="hdr" header="{header}:" check_it="true" '
                           f'assign_to="{variable}"/>')
        inner = f"<action>{''.join(actions)}</action>" if actions else ""
        self.steps.append(f'<recv {key}="{what}"{flags}>{inner}</recv>')
        return self

    def pause(self, seconds):
        self.steps.append(f'<pause milliseconds="{int(seconds * 1000)}"/>')
        return self

    def save(self, path):
        reference = f'<Reference variables="{",".join(self._globals)}"/>' if self._globals else ""
        with open(path, "w") as f:
            f.write('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
                    f'<scenario name={quoteattr(self.name)}>\n' + "\n".join(self.steps) + f"\n{reference}\n</scenario>\n")
        return path


def _list(value):
    return [] if value is None else [value] if isinstance(value, str) else list(value)
