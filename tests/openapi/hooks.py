"""Hooks for what docs/openapi.yaml cannot express: users, the app's URL, Stripe's signatures, errors on valid requests."""

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
# The generations of the free plan.
QUOTA = 3

# No keyword of a schema requires one of two parameters, or compares two numbers; and Spotify's markets change.
INEXPRESSIBLE = {
    "Give an artist, a title or both.",
    "era.from is after era.to.",
    "refine needs either playlist_id, alone or with keep and instruction, or previous and instruction.",
    "target_count must be greater than the number of tracks in refine.keep.",
    "market must be a country that Spotify is available in (ISO 3166-1), such as PL; the United Kingdom is GB.",
}
# The tests send more requests as one user than the limits allow.
LIMITED = {"too_many_attempts"}
# The errors that a valid request may get; any other response must be a success.
MAY_BE_REFUSED = {
    # Generated keys repeat, also with other bodies and from other users.
    # No song may meet the conditions of the prompt, such as the year 1900.
    # Generated ids of playlists to refine do not exist.
    "generatePlaylist": {
        "already_generated", "generation_in_progress", "idempotency_key_reused", "no_tracks_found", "playlist_not_found",
    },
    "exportPlaylist": {"export_in_progress", "idempotency_key_reused", *LIMITED},
    # Only `start` can make a state.
    "completeSpotifyLink": {"invalid_state", "invalid_code", *LIMITED},
    **dict.fromkeys(("searchTracks", "openCheckout", "openPortal"), LIMITED),
}
# Their examples name a playlist, an address or an app that does not exist on this stack.
WITHOUT_EXAMPLES = {"exportPlaylist", "deleteAccount", "openCheckout", "openPortal"}
# A path also has members that are not methods.
METHODS = ("get", "head", "post", "delete")


def post(url, token, body=None):
    headers = {"Authorization": f"Bearer {token}", "apikey": READY["publishable_key"]}
    response = requests.post(url, headers=headers, json=body, allow_redirects=False, timeout=30)
    response.raise_for_status()
    return response


class User:
    """A user who has just signed up."""

    def __init__(self):
        self.email = f"{uuid.uuid4()}@example.com"
        body = {"email": self.email, "password": "correct horse battery staple"}
        response = post(f"{READY['supabase_url']}/auth/v1/signup", READY["publishable_key"], body).json()
        self.token = response["access_token"]

    def calls(self, path, body=None):
        return post(READY["functions_url"] + path, self.token, body)

    def links_spotify(self):
        page = self.calls("/spotify-oauth/start").json()["authorize_url"]
        agreed = requests.post(page, data={"decision": "agree", "login": "ania"}, allow_redirects=False, timeout=30)
        back = requests.get(agreed.headers["location"], allow_redirects=False, timeout=30)
        fragment = urllib.parse.parse_qs(urllib.parse.urlsplit(back.headers["location"]).fragment)
        body = {"code": fragment["spotify_code"][0], "state": fragment["spotify_state"][0]}
        self.calls("/spotify-oauth/complete", body)


# Each operation has its own user, because one operation deletes the user.
USERS = collections.defaultdict(User)
ASKED_FOR_PLAYLISTS = 0


def id_of(operation):
    return operation.definition.raw["operationId"]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Adds what holds only for this stack and these users."""
    for simulator in READY["simulators"].values():
        # Other stages may have left faults.
        requests.post(f"{simulator}/__control/reset", json={}, timeout=10).raise_for_status()
    schemas = raw_schema["components"]["schemas"]
    schemas["AppUrl"]["pattern"] = f"^{re.escape(APP)}([/?#][!-\\[\\]-~]*)?$"
    schemas["StripeEvent"]["properties"]["livemode"] = {"const": False}
    schemas["AccountDeletion"]["properties"]["confirm"] = {"const": USERS["deleteAccount"].email}
    USERS["openPortal"].calls("/billing/checkout", {"success_url": f"{APP}/", "cancel_url": f"{APP}/"})
    user = USERS["exportPlaylist"]
    user.links_spotify()
    made = user.calls("/ai-playlist", {"prompt": "a cozy rainy evening", "target_count": 3, "save": True}).json()
    schemas["ExportRequest"]["properties"]["playlist_id"] = {"const": made["playlist_id"]}
    # This path belongs to the gateway, which has another URL and does not exist on Deno.
    del raw_schema["paths"]["/health"]
    for path in raw_schema["paths"].values():
        for operation in (path[method] for method in METHODS if method in path):
            if operation["operationId"] in WITHOUT_EXAMPLES:
                for content in operation["requestBody"]["content"].values():
                    content.pop("example")


@schemathesis.auth(refresh_interval=None).skip_for(path="/stripe-webhook")
class UserAuth:
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
    """Signs each request when it is sent."""

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
        # A wrong signature is documented as a bad request, not as a missing authorization.
        return operation != "receiveStripeEvent" or "got `400 " not in failure.message
    if isinstance(failure, RejectedPositiveData) and response.status_code < 500:
        error = response.json()
        is_expected = error["message"] in INEXPRESSIBLE or error["code"] in MAY_BE_REFUSED.get(operation, ())
        return not is_expected
    return True
