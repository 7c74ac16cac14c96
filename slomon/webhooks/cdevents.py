"""CDEvents (cdevents.dev) over the HTTP binding of CloudEvents, in binary and structured mode."""

from __future__ import annotations

from base64 import b64decode

from slomon.deploys.records import is_deployment, read_deploy
from slomon.errors import WebhookError
from slomon.text import quote
from slomon.webhooks.proof import Token, choose_proof, read_secret
from slomon.webhooks.sender import Body, Deployment, Headers, find_part, find_text, parse_object


class CDEvents:
    """
    Whoever sends `dev.cdevents.service.deployed`, `upgraded` and `rolledback`. CDEvents has no
    signature of its own, so there is either a token, which CloudEvents' web hooks bring as
    `Authorization: Bearer`, or a signing secret (`whsec_...`) of Standard Webhooks.

    The commit is the artifact's id, the service the subject's; there is no author.
    """

    def __init__(self, *, token: str | None = None, signing_secret: str | None = None) -> None:
        """Raises ConfigurationError where there is not exactly one of both."""
        text = None if token is None else read_secret("token", token)
        bearer = None if text is None else Token("authorization", text, "bearer")
        self._proof = choose_proof(bearer, signing_secret)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) where the sender doesn't know the secret."""
        self._proof.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """
        The CDEvent: the body itself in binary mode, the data of a CloudEvent in structured mode. A
        CDEvent says all that the headers of CloudEvents do, and these are not signed.
        """
        event = parse_object(body)
        if "specversion" not in event:
            return event
        if isinstance(encoded := event.get("data_base64"), str):
            try:
                return parse_object(b64decode(encoded, validate=True))
            except ValueError:
                raise WebhookError(400, "the event's data_base64 is no base64") from None
        return find_part(event, "data")

    def find_deployment(self, body: Body) -> Deployment | None:
        """What was deployed, if it is an event of a deployment."""
        kind = find_text(find_part(body, "context"), "type")
        if not kind.startswith("dev.cdevents."):
            raise WebhookError(400, f"the event's type is {quote(kind)}; allowed: dev.cdevents.*")
        if not is_deployment(kind):
            return None
        change = read_deploy(body)
        if isinstance(change, str):
            raise WebhookError(400, change)
        content = find_part(find_part(body, "subject"), "content")
        where = find_part(content, "environment")
        return Deployment(change, (find_text(where, "id"), find_text(where, "name")))
