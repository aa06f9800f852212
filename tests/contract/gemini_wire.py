"""Gemini's generateContent wire, written by hand after its documentation."""

import json
from typing import Any

from tests.contract.answers import CACHED, INPUT, MODEL, OUTPUT, REASONING, RESPONSE_ID, SOURCE, Answer, Refusal, sse

PATH = f"/v1beta/models/{MODEL}:streamGenerateContent"
UNKNOWN = "telepathy"
ODD_REASON = "BORED"
SIGNATURE = "c2lnbmVk"
MODELS = {
    "models": [
        {
            "name": f"models/{MODEL}",
            "displayName": "Model One",
            "inputTokenLimit": 1048576,
            "outputTokenLimit": 65536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "thinking": True,
        },
        {"name": "models/text-embedding-004", "supportedGenerationMethods": ["embedContent"]},
    ]
}
_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "blocked": "SAFETY", "odd": ODD_REASON}
# The vendor counts thoughts beside the candidates and tool prompts beside the prompt.
_USAGE = {
    "promptTokenCount": INPUT - 4,
    "toolUsePromptTokenCount": 4,
    "cachedContentTokenCount": CACHED,
    "candidatesTokenCount": OUTPUT - REASONING,
    "thoughtsTokenCount": REASONING,
    "totalTokenCount": INPUT + OUTPUT,
}


def _chunk(parts: list[dict[str, Any]], **candidate: Any) -> bytes:
    content = {"content": {"role": "model", "parts": parts}} if parts else {}
    body = {
        "candidates": [{**content, "index": 0, **candidate}],
        "usageMetadata": _USAGE,
        "modelVersion": MODEL,
        "responseId": RESPONSE_ID,
    }
    return sse(body, end="\r\n")


def render(answer: Answer) -> bytes:
    out = b"".join(_chunk([{"text": piece, "thought": True}]) for piece in answer.reasoning)
    if answer.unknown:
        out += _chunk([{UNKNOWN: {"thought": "42"}}])
    out += b"".join(_chunk([{"text": piece}]) for piece in (*answer.text, *answer.refusal))
    if answer.cited:
        web = {"uri": SOURCE["url"], "title": SOURCE["title"]}
        supports = [{"segment": {"endIndex": 2}, "groundingChunkIndices": [0]}]
        out += _chunk([], groundingMetadata={"groundingChunks": [{"web": web}], "groundingSupports": supports})
    for number, call in enumerate(answer.calls):
        signed = {} if number else {"thoughtSignature": SIGNATURE}
        arguments = json.loads(call.arguments)
        out += _chunk([{"functionCall": {"id": call.call_id, "name": call.name, "args": arguments}, **signed}])
    return out + (_chunk([], finishReason=_REASONS[answer.finish]) if answer.terminal else b"")


def models() -> bytes:
    return json.dumps(MODELS).encode()


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> Refusal:
    return code, {"error": {"code": code, "message": message, "status": status, "details": list(details)}}, {}


def _info(reason: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def _quota(quota_id: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota_id}]}


_RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
_MINUTE, _DAY = "GenerateRequestsPerMinutePerProject", "GenerateRequestsPerDayPerProjectPerModel"
_TOO_LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."

ERRORS: dict[str, Refusal] = {
    "bad_key": _error(400, "INVALID_ARGUMENT", "API key not valid: AIzaSyFAKE.", _info("API_KEY_INVALID")),
    "forbidden": _error(403, "PERMISSION_DENIED", "Your project has been denied access."),
    "rate_limited": _error(429, "RESOURCE_EXHAUSTED", "Too many requests.", _quota(_MINUTE), _RETRY),
    "quota": _error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", _quota(_DAY)),
    "too_long": _error(400, "INVALID_ARGUMENT", _TOO_LONG),
    "not_found": _error(404, "NOT_FOUND", "models/model-1 is not found for API version v1beta."),
    "invalid": _error(400, "INVALID_ARGUMENT", "Invalid value at 'generation_config.temperature'."),
    "server_error": _error(500, "INTERNAL", "An internal error has occurred."),
    "overloaded": _error(503, "UNAVAILABLE", "The model is overloaded."),
}


def stream_error(case: str) -> bytes:
    """On a stream this vendor's errors come bare, over several lines, outside of any event."""
    return json.dumps(ERRORS[case][1], indent=2).encode() + b"\n"
