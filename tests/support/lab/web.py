# SPDX-License-Identifier: Apache-2.0
"""A gateway between browsers (DTLS-SRTP, ICE, SIP over WSS) and a phone that has SIP/TLS and SDES."""

from .baresip import Phone
from .account import ha1
from .webbrowser import ORIGIN, Browser
from .gateway import GCM_256, INSIDE, OUTSIDE, Neighbourhood, carrier

WSS = 7443
USER, NUMBER, PASSWORD = "alice", "+4989700", "wonder land"
SECOND_USER, SECOND_NUMBER = "bella", "+4989701"  # with the same password, at the place "browser2"
PHONE_NUMBER = "+4940200"
BROWSER_TONE, PHONE_TONE = 440, 1000


class WebNeighbourhood(Neighbourhood):
    """
        browser 192.0.2.40 ----+
        browser2 192.0.2.41 ---+
        carrier-b 192.0.2.20 --+-- ext0 [gateway]
    """

    ADDRESSES = {**Neighbourhood.ADDRESSES, "browser": "192.0.2.40", "browser2": "192.0.2.41"}
    ADDRESSES6 = {**Neighbourhood.ADDRESSES6, "browser": "2001:db8:1::40", "browser2": "2001:db8:1::41"}

    def web_gateway(self, other=None, suites=(GCM_256,), origin=ORIGIN, **more):
        """other: the trunk that browsers call and are called from, instead of carrier-b; suites, origin: of browsers."""
        other = other or carrier("carrier-b", self.ADDRESSES["carrier-b"])
        browsers = {"name": "browsers", "realm": "carriers", "identify": {"listener": ["web"]}, "ice": "lite",
                    "registrar": {"algorithm": ["md5"]}, "rtcp-mux": "offer", "_suites": list(suites),
                    "srtp": {"mode": "required", "keying": ["dtls"], "crypto-profile": "-".join(suites)}}

        def tls(name, transport, port, **kw):
            return {"name": name, "transport": transport, "address": OUTSIDE, "port": port, "realm": "carriers",
                    "tls-profile": "gateway", **kw}

        listeners = [tls("carriers-tls", "tls", 5061), tls("web", "wss", WSS, **{"allowed-origin": [origin]}),
                     {"name": "core", "transport": "udp", "address": INSIDE, "port": 5060, "realm": "core"}]
        users = {"user": [{"name": user, "trunk": "browsers", "number": [number],
                           "password-hash": {"md5": ha1(user, "srtpgw", PASSWORD, "MD5")}}
                          for user, number in ((USER, NUMBER), (SECOND_USER, SECOND_NUMBER))]}
        return self.gateway([browsers, other], [("browsers", "", other["name"]), (None, "+4989", "browsers")],
                            listeners=listeners, users=users, **more)

    def sdes_phone(self, seconds=120):
        return Phone(self.host("carrier-b"), PHONE_NUMBER, self.ADDRESSES["carrier-b"], PHONE_TONE, "eth0",
                     certificate=self.identity("carrier-b")[2], ca=self.ca.cert, seconds=seconds)

    def browser(self, kind="chromium", shows="", place="browser"):
        """Registered, and answers by itself; with a video of each of these colours. At "browser2" it is the other user, with the phone's tone."""
        account = (self.account(USER, shows) if place == "browser"
                   else self.account(SECOND_USER, shows, PHONE_TONE, BROWSER_TONE))
        # Firefox gathers no candidates where there is no way out.
        self.host(place).ip("route", "replace", "default", "via", OUTSIDE)
        browser = Browser(self.host(place), self.cert[0], kind)
        browser.set("autoAnswer", True)
        browser.do("register", account)
        return browser

    def account(self, user, shows, sends=BROWSER_TONE, hears=PHONE_TONE):
        return {"server": f"wss://{OUTSIDE}:{WSS}/", "uri": f"sip:{user}@{OUTSIDE}", "password": PASSWORD,
                "sends": sends, "listensFor": hears, "shows": shows}
