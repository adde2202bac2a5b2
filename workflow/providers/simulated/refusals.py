"""Errors as each service words them: the gateway's nested ones, Graph's, and the sign-in endpoint's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.providers.simulated.messages import Json, Reply, as_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_WARNINGS = {"adminapi.warnings@odata.type": "#Collection(String)", "@adminapi.warnings": []}
_ODATA = "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"
_INVOKED = "Microsoft.Exchange.Management.PSDirectInvoke.DirectInvokeCmdletExecutionException"
_NUL_BYTES = 137


class CmdletError(Exception):
    """A cmdlet refused. The text a person needs is deep inside; what stands on top is always generic.

    Args:
        text: what the cmdlet says.
        kind: its .NET type.
        error_id: Exchange's id of the error, "" where there is none.
        status: 400 or 404.
        inner: whether the cmdlet ran at all ("Error executing cmdlet") or was not understood ("Invalid Operation").
    """

    def __init__(self, text: str, kind: str, error_id: str = "", *, status: int = 400, ran: bool = True) -> None:
        super().__init__(text)
        self.text = text
        self.kind = kind
        self.error_id = error_id
        self.status = status
        self.ran = ran


def not_found(what: str) -> CmdletError:
    """Return Exchange's error for an object that does not exist."""
    where = "EX0.EXAMPLE.PROD.OUTLOOK.COM"
    text = f"The operation couldn't be performed because object '{what}' couldn't be found on '{where}'."
    kind = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
    return CmdletError(text, kind, "Ex6F9304", status=404)


def cmdlet_refusal(error: CmdletError) -> Reply:
    """Return the gateway's answer to an error of a cmdlet."""
    message = "Error executing cmdlet" if error.ran else "Invalid Operation"
    inner = {"message": error.text, "type": error.kind}
    if error.ran:
        inner = {"message": f"Exception of type '{_INVOKED}' was thrown.", "type": _INVOKED}
    body = {
        "error": {
            "code": "NotFound" if error.status == 404 else "BadRequest",  # noqa: PLR2004 - the HTTP status.
            "message": message,
            "details": [{"code": "Client", "target": "", "message": f"{error.error_id}|{error.kind}|{error.text}"}],
            "innererror": {
                "message": message,
                "type": _ODATA,
                "stacktrace": "",
                "internalexception": {**inner, "stacktrace": ""},
            },
        },
        **_WARNINGS,
    }
    return as_json(error.status, body, {"X-ExceptionType": error.kind})


def nul_bytes() -> Reply:
    """Return the 403 for a missing directory role or an unknown cmdlet: NUL bytes that claim to be gzip."""
    return Reply(403, b"\0" * _NUL_BYTES, {"Content-Type": "application/json", "Content-Encoding": "gzip"})


class GraphError(Exception):
    """Graph refused.

    Args:
        status: the HTTP status.
        code: Microsoft's code.
        message: for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def graph_refusal(error: GraphError, ids: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
    """Return Graph's answer to an error; ``ids`` are the date and the request ids."""
    body: Json = {"error": {"code": error.code, "message": error.message, "innerError": dict(ids)}}
    return as_json(error.status, body, headers)


DENIED = GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
NO_PREMIUM = GraphError(
    403,
    "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
    "Neither tenant is B2C or tenant doesn't have premium license",
)
UNAUTHORIZED = GraphError(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")


def missing(what: str) -> GraphError:
    """Return Graph's error for a resource that does not exist."""
    text = f"Resource '{what}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", text)


def sign_in_refusal(status: int, error: str, code: int, text: str, trace: str) -> Reply:
    """Return the token endpoint's answer to an error."""
    body = {
        "error": error,
        "error_description": f"AADSTS{code}: {text} Trace ID: {trace}",
        "error_codes": [code],
        "trace_id": trace,
        "correlation_id": trace,
    }
    return as_json(status, body)
