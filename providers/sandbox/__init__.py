"""The sandbox: an ASGI application that speaks the vendors' wires and answers without a model.

It serves the first run without a key, tests and drills; production refuses it. It imports no Django and no SDK.

Start it with `python -m providers.sandbox [--port 0] [--host 127.0.0.1] [--pace 60] [--lifeline]`.

Wires
    `/openai/v1/{models,responses,chat/completions}`, `/{compatible,mistral}/v1/{models,chat/completions}`,
    `/anthropic/v1/{models,messages}`,
    `/gemini/{v1,v1beta}/{models,models/ID:generateContent,models/ID:streamGenerateContent?alt=sse}`.

Keys
    A key is good when it starts with `sandbox-`, `sk-` or `AIza`, or is 32 letters and digits, as Mistral's are; one
    that contains `revoked`, `expired`, `forbidden` or `noquota` fails the way the vendor fails such a key (`noquota`
    may still list models, as with the vendors).

Words in the last message of a person
    `/slow N` N pieces a second (0: no wait), `/tokens N` an answer of N counted pieces, `/fault NAME [after N]` one of
    the failures in `faults.py`, after N pieces of the answer.

Control, for tests and drills
    `GET, POST, DELETE /_sandbox/faults` and `GET, DELETE /_sandbox/requests`; with `PARLEY_SANDBOX_SECRET` in its
    environment, only for requests that carry it as `x-sandbox-secret`.
"""
