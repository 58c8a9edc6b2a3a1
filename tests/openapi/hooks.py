"""What docs/openapi.yaml does not say: who asks, where the app is, how Stripe signs; and what valid data may meet."""

import collections
import hashlib
import hmac
import json
import os
import re
import time
import urllib.parse
import uuid
from pathlib import Path

import requests
import schemathesis
from requests.auth import AuthBase
from schemathesis.openapi.checks import IgnoredAuth, RejectedPositiveData

READY = json.loads(Path(os.environ["SOUND_WHISKERS_READY_FILE"]).read_text())
APP = READY["web_url"]
# The free plan's.
QUOTA = 3

# No keyword says that one of two parameters is needed, or that one number is not above another; and where Spotify is
# available changes.
INEXPRESSIBLE = {
    "Give an artist, a title or both.",
    "era.from is after era.to.",
    "market must be a country that Spotify is available in (ISO 3166-1), such as PL; the United Kingdom is GB.",
}
# One user sends more than a user may in a minute or an hour.
LIMITED = {"too_many_attempts"}
# What a valid request may be answered; for everything else it has to be accepted.
MAY_BE_REFUSED = {
    # Keys come twice, also with other bodies and from other users.
    # And there are wishes that no song fulfils, such as one of 1900.
    "generatePlaylist": {
        "already_generated",
        "generation_in_progress",
        "idempotency_key_reused",
        "no_tracks_found",
    },
    "exportPlaylist": {"export_in_progress", "idempotency_key_reused", *LIMITED},
    # Only `start` can make a state.
    "completeSpotifyLink": {"invalid_state", "invalid_code", *LIMITED},
    "searchTracks": LIMITED,
    "openCheckout": LIMITED,
    "openPortal": LIMITED,
}
# A path has other members, too.
METHODS = ("get", "head", "post", "delete")


def call(method, path, token, body=None):
    headers = {"Authorization": f"Bearer {token}", "apikey": READY["publishable_key"]}
    answer = requests.request(method, path, headers=headers, json=body, allow_redirects=False, timeout=30)
    answer.raise_for_status()
    return answer


def call_function(method, path, token, body=None):
    return call(method, READY["functions_url"] + path, token, body)


class User:
    """A new user."""

    def __init__(self):
        self.email = f"{uuid.uuid4()}@example.com"
        body = {"email": self.email, "password": "correct horse battery staple"}
        answer = call("POST", f"{READY['supabase_url']}/auth/v1/signup", READY["publishable_key"], body).json()
        self.id, self.token = answer["user"]["id"], answer["access_token"]

    def becomes_customer(self):
        urls = {"success_url": f"{APP}/", "cancel_url": f"{APP}/"}
        call_function("POST", "/billing/checkout", self.token, urls)

    def links_spotify(self):
        page = call_function("POST", "/spotify-oauth/start", self.token).json()["authorize_url"]
        agreed = requests.post(page, data={"decision": "agree", "login": "ania"}, allow_redirects=False, timeout=30)
        back = requests.get(agreed.headers["location"], allow_redirects=False, timeout=30)
        fragment = urllib.parse.parse_qs(urllib.parse.urlsplit(back.headers["location"]).fragment)
        body = {"code": fragment["spotify_code"][0], "state": fragment["spotify_state"][0]}
        call_function("POST", "/spotify-oauth/complete", self.token, body)

    def makes_playlist(self):
        body = {"prompt": "a cozy rainy evening", "target_count": 3, "save": True}
        return call_function("POST", "/ai-playlist", self.token, body).json()["playlist_id"]


# Each operation has a user of its own: one of them deletes theirs.
USERS = collections.defaultdict(User)
ASKED_FOR_PLAYLISTS = 0


def id_of(operation):
    return operation.definition.raw["operationId"]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Puts in what holds for this stack and these users alone."""
    for simulator in READY["simulators"].values():
        # Other stages leave their faults.
        requests.post(f"{simulator}/__control/reset", json={}, timeout=10).raise_for_status()
    schemas = raw_schema["components"]["schemas"]
    schemas["AppUrl"]["pattern"] = f"^{re.escape(APP)}([/?#][!-\\[\\]-~]*)?$"
    schemas["StripeEvent"]["properties"]["livemode"] = {"const": False}
    schemas["AccountDeletion"]["properties"]["confirm"] = {"const": USERS["deleteAccount"].email}
    USERS["openPortal"].becomes_customer()
    listener = USERS["exportPlaylist"]
    listener.links_spotify()
    schemas["ExportRequest"]["properties"]["playlist_id"] = {"const": listener.makes_playlist()}
    # The gateway's: it is not below the functions' URL, and Deno has none.
    del raw_schema["paths"]["/health"]
    for path in raw_schema["paths"].values():
        for operation in (path[method] for method in METHODS if method in path):
            leave_out_examples(operation)


def leave_out_examples(operation):
    """Bodies with another user's playlist, address or app."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if operation["operationId"] in {"exportPlaylist", "deleteAccount", "openCheckout", "openPortal"}:
            content.pop("example")


@schemathesis.auth(refresh_interval=None).skip_for(path="/stripe-webhook")
class Listener:
    def get(self, case, context):
        operation = id_of(case.operation)
        if operation == "generatePlaylist":
            global ASKED_FOR_PLAYLISTS
            if ASKED_FOR_PLAYLISTS % QUOTA == 0:
                USERS[operation] = User()
            ASKED_FOR_PLAYLISTS += 1
        return USERS[operation].token

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


class Stripe(AuthBase):
    """Signs what is sent, when it is sent."""

    def __call__(self, request):
        body = request.body or b""
        body = body if isinstance(body, bytes) else body.encode()
        now = int(time.time())
        secret = READY["stripe_webhook_secret"].encode()
        signature = hmac.new(secret, b"%d." % now + body, hashlib.sha256).hexdigest()
        request.headers["Stripe-Signature"] = f"t={now},v1={signature}"
        return request


schemathesis.auth.set_from_requests(Stripe()).apply_to(path="/stripe-webhook")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    operation = id_of(case.operation)
    if isinstance(failure, IgnoredAuth):
        # To Stripe a wrong signature is a bad request, and so it is described.
        return operation != "receiveStripeEvent" or "got `400 " not in failure.message
    if isinstance(failure, RejectedPositiveData) and response.status_code < 500:
        error = response.json()
        is_expected = error["message"] in INEXPRESSIBLE or error["code"] in MAY_BE_REFUSED.get(operation, ())
        return not is_expected
    return True
