"""Yahoo on the loopback: a TLS server that answers in its names, with a switch for each way it fails.

Run it by itself to see what the pages show in each scenario:

    python -m tests.market.yahoo_server --port 9443 --scenario ok --dir DIR
    curl -k https://127.0.0.1:9443/scenario/429     switch
    curl -k https://127.0.0.1:9443/price/412.5      move the price
    curl -k https://127.0.0.1:9443/chains/whole     option chains as large as GLD's (and back: /chains/small)
    curl -k https://127.0.0.1:9443/delay/5          let every quote, chain and history take 5 seconds
    curl -k https://127.0.0.1:9443/requests         what was asked
"""

import argparse
import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.market import yahoo_payloads as payloads
from tests.market.certificates import make_certificates

SCENARIOS = {
    "ok": "prices of a moment ago, market open",
    "closed": "market closed, price of the last weekday's 16:00",
    "closed_zeros": "as closed, and no bid or ask in the option chains",
    "missing_keys": "only symbol, price and time in the quote",
    "no_price": "a quote without a price",
    "no_time": "a quote without a time",
    "zero_price": "price 0",
    "null_price": "price null",
    "nan_price": "price NaN, which is not JSON",
    "bad_print": "price at 40 % of the previous close",
    "old_time": "price of three hours ago",
    "future_time": "price of tomorrow",
    "other_symbol": "the quote of another symbol",
    "gap": "a day without prices in the history",
    "429": "too many requests on every data endpoint",
    "429_crumb": "too many requests on the crumb only",
    "no_crumb": "no crumb to be had, so option requests are unauthorized",
    "500": "internal server error, HTML",
    "html": "status 200 with the maintenance page",
    "truncated": "half of the JSON",
    "wrong_shape": "valid JSON of another shape",
    "slow": "an answer after `slow_seconds`",
    "slow10": "an answer after 10 seconds; any whole number",
    "empty": "no results, no error",
    "unknown": "every symbol is unknown",
    "page_404": "an HTML page with status 404",
    "dead": "the connection is dropped",
}
SLOW = re.compile(r"^slow(\d+)$")


@dataclass(frozen=True)
class Request:
    host: str
    path: str
    query: dict[str, str]


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class YahooServer:
    """Serves from the moment it is made until `stop`.

    Set `scenario`, `delay_seconds` and `whole_chains`, read `requests`; `alter` may change the one result of an
    option answer before it is sent.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        scenario: str = "ok",
        price: float = 460.0,
        whole_chains: bool = False,
        delay_seconds: float = 0.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.ca_path, context = make_certificates(directory)
        self.scenario = scenario
        self.price = price
        self.now = now
        self.slow_seconds = 30.0
        self.delay_seconds = delay_seconds
        self.whole_chains = whole_chains
        self.alter: Callable[[dict], None] | None = None
        self.crumb = "first.crumb"
        self.cookie_name = "A3"
        self.requests: list[Request] = []
        self._stopping = threading.Event()
        self._http = _Http(("127.0.0.1", port), self, context)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), name="yahoo-server", daemon=True).start()

    def session_factory(self) -> object:
        """A session of the real client whose every connection ends here."""
        return session_to(self.port, self.ca_path)

    def stop(self) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._http.hang_up()

    def rotate_crumb(self) -> None:
        self.crumb = f"next.{self.crumb}"

    def forget_requests(self) -> None:
        self.requests = []

    @property
    def paths(self) -> list[str]:
        """What was asked, in order, without queries."""
        return [request.path for request in self.requests]

    def previous_close(self, symbol: str = "GLD") -> float:
        return payloads.previous_close(payloads.listings(self.price)[symbol], self.now())

    def reply(self, request: Request) -> Reply | None:
        """None drops the connection."""
        if request.host in ("127.0.0.1", "localhost"):
            return self._control(request.path)
        self.requests.append(request)
        if self.scenario == "dead":
            return None
        if request.host == "fc.yahoo.com":
            cookie = (
                f"{self.cookie_name}=d=loopback&S=test; Domain=.yahoo.com; Path=/; Max-Age=31557600; Secure; HttpOnly"
            )
            return Reply(404, b"", "text/html", (("Set-Cookie", cookie),))
        if request.path == "/v1/test/getcrumb":
            return self._crumb_reply()
        if not request.path.startswith(("/v7/", "/v8/", "/v10/")):
            return Reply(200, b"<html><body>Yahoo</body></html>", "text/html")
        return self._failure() or self._data(request)

    def _crumb_reply(self) -> Reply:
        if self.scenario == "429_crumb":
            return Reply(429, b"Too Many Requests\r\n", "text/html")
        if self.scenario == "no_crumb":
            return Reply(200, b"<html>consent</html>", "text/html")
        return Reply(200, self.crumb.encode(), "text/plain")

    def _failure(self) -> Reply | None:
        seconds = SLOW.match(self.scenario)
        if self.scenario == "slow":
            self._stopping.wait(self.slow_seconds)
        elif seconds or self.delay_seconds > 0:
            self._stopping.wait(float(seconds[1]) if seconds else self.delay_seconds)
        return {
            "429": Reply(429, b"Too Many Requests\r\n", "text/html"),
            "500": Reply(500, b"<html><body>Internal Server Error</body></html>", "text/html"),
            "html": Reply(200, b"<html><body><h1>Will be right back...</h1></body></html>", "text/html"),
            "wrong_shape": Reply(200, b"[1, 2, 3]"),
            "page_404": Reply(404, b"<html><body><h1>404 Not Found</h1></body></html>", "text/html"),
        }.get(self.scenario)

    def _data(self, request: Request) -> Reply:
        symbol = unquote(request.path.rsplit("/", 1)[-1])
        is_chart = request.path.startswith("/v8/finance/chart/")
        is_options = request.path.startswith("/v7/finance/options/")
        if not is_chart and request.query.get("crumb") != self.crumb:
            return _json(401, payloads.unauthorized())
        listing = payloads.listings(self.price).get(symbol)
        if not (is_chart or is_options):
            return _json(404, payloads.not_found("quoteSummary"))
        if listing is None or self.scenario == "unknown":
            return _json(404, payloads.not_found("chart" if is_chart else "optionChain"))
        if self.scenario == "empty":
            return _json(200, {"chart" if is_chart else "optionChain": {"result": [], "error": None}})
        fields = self._fields(listing)
        if is_chart:
            span = request.query.get("range", "")
            return self._finished(
                payloads.chart_payload(listing, self._days(listing, request), fields, self.now(), span=span)
            )
        expiry = int(request.query["date"]) if "date" in request.query else None
        payload = payloads.option_payload(listing, fields, self.now(), expiry, whole=self.whole_chains)
        result = payload["optionChain"]["result"][0]
        if self.scenario == "closed_zeros":
            for contract in (
                contract for options in result["options"] for contract in options["calls"] + options["puts"]
            ):
                contract.update(bid=0, ask=0)
        if self.alter is not None:
            self.alter(result)
        return self._finished(payload)

    def _fields(self, listing: payloads.Listing) -> dict:
        now, name = self.now(), self.scenario
        fields = payloads.quote_fields(listing, now)
        if name in ("closed", "closed_zeros"):
            at = now.astimezone(payloads.NEW_YORK).replace(hour=16, minute=0, second=0, microsecond=0)
            at -= timedelta(days=1)
            while at.weekday() > 4:
                at -= timedelta(days=1)
            fields = payloads.quote_fields(listing, now, state="CLOSED", at=at)
        changes = {
            "zero_price": {"regularMarketPrice": 0},
            "null_price": {"regularMarketPrice": None},
            "nan_price": {"regularMarketPrice": float("nan")},
            "bad_print": {"regularMarketPrice": round(fields["regularMarketPreviousClose"] * 0.4, 2)},
            "old_time": {"regularMarketTime": int((now - timedelta(hours=3)).timestamp())},
            "future_time": {"regularMarketTime": int((now + timedelta(days=1)).timestamp())},
            "other_symbol": {"symbol": "SLV"},
        }
        fields.update(changes.get(name, {}))
        if name == "missing_keys":
            return {key: fields[key] for key in ("symbol", "regularMarketPrice", "regularMarketTime")}
        if name in ("no_price", "no_time"):
            del fields["regularMarketPrice" if name == "no_price" else "regularMarketTime"]
        return fields

    def _days(self, listing: payloads.Listing, request: Request) -> list:
        days = payloads.closes(listing, self.now())
        if "period1" in request.query:
            first, last = (
                datetime.fromtimestamp(int(request.query[name]), payloads.NEW_YORK) for name in ("period1", "period2")
            )
            days = [row for row in days if first.date() <= row[0] < last.date()]
        else:
            days = days[-payloads.RANGE_DAYS.get(request.query.get("range", "1mo"), 22) :]
        if self.scenario == "gap" and len(days) > 2:
            days[1] = (days[1][0], None)
        return days

    def _finished(self, payload: dict) -> Reply:
        reply = _json(200, payload)
        if self.scenario == "truncated":
            return Reply(200, reply.body[: len(reply.body) // 2])
        return reply

    def _control(self, path: str) -> Reply:
        verb, _, value = path.strip("/").partition("/")
        if verb == "scenario" and (value in SCENARIOS or SLOW.match(value)):
            self.scenario = value
        elif verb == "price":
            self.price = float(value)
        elif verb == "chains" and value in ("small", "whole"):
            self.whole_chains = value == "whole"
        elif verb == "delay":
            self.delay_seconds = float(value)
        elif verb == "crumb":
            self.rotate_crumb()
        elif verb != "requests":
            return _json(404, {"scenarios": SCENARIOS})
        return _json(200, {"scenario": self.scenario, "price": self.price, "requests": self.paths})


def session_to(port: int, ca_path: Path) -> object:
    """A curl_cffi session that trusts the test authority and connects to 127.0.0.1:`port` whatever the address."""
    from curl_cffi import CurlOpt, requests
    from curl_cffi.curl import ffi, lib

    connect_to = lib.curl_slist_append(ffi.NULL, f"::127.0.0.1:{port}".encode())
    return requests.Session(
        impersonate="chrome", verify=str(ca_path), curl_options={CurlOpt.CONNECT_TO: connect_to}, trust_env=False
    )


def forget_yfinance() -> None:
    """Undo what yfinance keeps for the life of a process, so that each test counts from the beginning."""
    import yfinance.base
    import yfinance.cache
    import yfinance.data

    yfinance.data.SingletonMeta._instances.clear()
    yfinance.data.YfData.cache_get.cache_clear()
    yfinance.cache._TzCacheManager._tz_cache = None
    yfinance.cache._CookieCacheManager._Cookie_cache = None
    yfinance.base._tz_info_fetch_ctr = 0


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], yahoo: YahooServer, context: ssl.SSLContext) -> None:
        self.yahoo = yahoo
        self._context = context
        self._connections: set[ssl.SSLSocket] = set()
        super().__init__(address, _Handler)

    def hang_up(self) -> None:
        """End the connections that are kept alive."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def get_request(self):
        connection, address = super().get_request()
        # the handshake happens in the connection's own thread, at its first read
        secured = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._connections.add(secured)
        return secured, address

    def handle_error(self, request, client_address) -> None:
        """Clients that leave early are part of the scenarios."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        host = self.headers.get("Host", "").partition(":")[0]
        reply = self.server.yahoo.reply(Request(host, parts.path, query))
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + reply.body)  # one packet
        self.flush_headers()

    do_POST = do_GET  # noqa: N815  # the name http.server calls

    def log_message(self, format, *args) -> None:  # noqa: A002  # the name in the base class
        """Requests are kept by the server instead."""


def _json(status: int, payload: object) -> Reply:
    return Reply(status, json.dumps(payload).encode())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Yahoo on the loopback, for trying out failures.")
    parser.add_argument("--port", type=int, default=9443)
    parser.add_argument("--scenario", choices=SCENARIOS, default="ok")
    parser.add_argument("--price", type=float, default=460.0)
    parser.add_argument("--slow-seconds", type=float, default=30.0)
    parser.add_argument("--delay-seconds", type=float, default=0.0)
    parser.add_argument("--chains", choices=("small", "whole"), default="small")
    parser.add_argument("--dir", type=Path, required=True, help="where ca.pem is written")
    chosen = parser.parse_args(arguments)
    server = YahooServer(
        chosen.dir,
        port=chosen.port,
        scenario=chosen.scenario,
        price=chosen.price,
        whole_chains=chosen.chains == "whole",
        delay_seconds=chosen.delay_seconds,
    )
    server.slow_seconds = chosen.slow_seconds
    print(f"https://127.0.0.1:{server.port} scenario {server.scenario}, authority {server.ca_path}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
