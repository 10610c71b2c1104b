"""What the web client of x.com sends with everything: public constants, none of them a secret of anybody."""

from __future__ import annotations

from collections.abc import Mapping

WEB_BEARER = "AAAAAAAAAAAAAAAAAAAAANRILgAAAAAAnNwIzUejRCOuH5E6I8xnZz4puTs%3D1Zv7ttfk8LF81IUq16cHjhLTvJu4FA33AGWWjCpTnA"

#: The only hosts that may see cookies, bearer, csrf and guest tokens, and only over https on the usual port.
API_HOSTS = frozenset({"x.com", "api.x.com", "twitter.com", "api.twitter.com", "mobile.twitter.com"})

#: The web page itself, whose visit carries cookies but none of the API's headers.
PAGE_PATHS = frozenset({"", "/", "/home", "/x/migrate"})

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"

API_MAX_BYTES = 64 * 1024 * 1024  # a record with 50,000 participants has about 24
PAGE_MAX_BYTES = 4 * 1024 * 1024
SCRIPT_MAX_BYTES = 16 * 1024 * 1024


def api_headers(method: str, *, user_agent: str, same_origin: bool) -> Mapping[str, str]:
    """Headers of an API request that hold no secret, so that they may follow a redirect anywhere."""
    headers = {
        "accept": "*/*",
        "content-type": "application/json",
        "referer": "https://x.com/",
        "sec-fetch-dest": "empty",
        "sec-fetch-mode": "cors",
        "sec-fetch-site": "same-origin" if same_origin else "same-site",
        "user-agent": user_agent,
        "x-twitter-active-user": "yes",
        "x-twitter-client-language": "en",
    }
    if method != "GET":
        headers["origin"] = "https://x.com"
    return headers


def page_headers(*, user_agent: str) -> Mapping[str, str]:
    """Headers of a visit to a page or a script, as a browser sends them."""
    return {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "en", "user-agent": user_agent}
