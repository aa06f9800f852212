"""Documents: summarised whole or in parts, asked about with the pages that answer, stopped, refused, foreign."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat import documents, retrieval
from chat.audit_streams import faults
from chat.documents import Asking
from chat.estimates import of_text
from chat.flows import documents as flow
from chat.models import Attachment, Run
from tests.chat.docs import files
from tests.chat.docs.conftest import attach
from tests.chat.docs.conftest import read_all as read_files
from tests.chat.doors.conftest import bearer
from tests.chat.engine.rows import read_all, stored
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
type Ready = Callable[..., Attachment]
TEN = [
    f"Chapter {number}: about {word}."
    for number, word in enumerate(["apples", "pears", "plums", "figs", "dates", "kiwis", "limes"], 1)
]


def ask(actor: Actor, document: Attachment, asking: Asking) -> Run:
    run = documents.start(actor, document.pk, asking)
    async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    return run


def statuses(run: Run, state: str) -> list[dict[str, Any]]:
    return [entry.data for entry in stored(run) if entry.event_type == "status" and entry.data["state"] == state]


@pytest.fixture
def lease(alice: Actor, ready: Ready) -> Attachment:
    return ready(alice, "lease.pdf", files.pdf(*files.PDF_PAGES), purpose="document")


@pytest.mark.parametrize("provider_id", ["openai", "anthropic", "gemini", "mistral"])
def test_an_answer_names_its_page(running: Sandbox, alice: Actor, lease: Attachment, provider_id: str) -> None:
    model = LanguageModel.objects.filter(provider_id=provider_id, sandbox=True).exclude(model_id__contains="embed")[0]
    run = ask(alice, lease, Asking("question", "How high is the deposit?", model=model.key))
    assert (run.state, run.context, run.served_model) == ("done", "doc", model.key), run.error
    assert "“A deposit of 900 euros is held.” [p. 2]" in documents.text_of(run)
    assert run.output["citations"] == [2]
    assert statuses(run, "citation") == [
        {
            "state": "citation",
            "citation": {"type": "page", "page": 2, "document": str(lease.pk), "marker": "[p. 2]"},
        }
    ]
    assert statuses(run, "pages") == [{"state": "pages", "sent": [1, 2, 3], "of": 3, "how": "all"}]
    assert list(faults()) == []


def test_a_page_that_nobody_has_is_named_and_not_cited(running: Sandbox, alice: Actor, ready: Ready) -> None:
    """The model repeats what the document says of a page that is not there."""
    document = ready(alice, "annex.pdf", files.pdf("The deposit is 900 euros, see [p. 9]."), purpose="document")
    run = ask(alice, document, Asking("question", "How high is the deposit?"))
    assert "[p. 9]" in documents.text_of(run)
    assert (run.output["citations"], [each["citation"]["page"] for each in statuses(run, "citation")]) == ([1], [1])


def test_a_short_document_is_summarised_in_one_request(running: Sandbox, alice: Actor, lease: Attachment) -> None:
    run = ask(alice, lease, Asking("summary"))
    assert run.state == "done"
    assert "The lease ends on 3 May. [p. 1]" in documents.text_of(run)
    assert run.output["citations"] == [1, 2, 3]
    assert len(run.trace["attempts"]) == 1
    assert statuses(run, "part") == []


def test_a_long_document_is_summarised_in_parts(
    running: Sandbox, alice: Actor, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "MOST_PART", 16)
    document = ready(alice, "book.pdf", files.pdf(*TEN), purpose="document")
    before = len(running.requests())
    run = ask(alice, document, Asking("summary"))
    assert run.state == "done", run.error
    done = [(data["done"], data["of"]) for data in statuses(run, "part")]
    assert done[:5] == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    made = running.requests()[before:]
    assert len(made) == len(run.trace["attempts"]) == 5
    assert {line["outcome"] for line in run.trace["attempts"]} == {"answered"}
    assert run.output["parts_read"] == 4
    last = json.dumps(made[-1]["body"], ensure_ascii=False)
    assert "notes on all the pages" in last
    assert all(f"[p. {number}]" in json.dumps([one["body"] for one in made]) for number in range(1, 8))
    alone = ask(alice, document, Asking("question", "What about plums?"))
    assert run.usage["input_tokens"] > 3 * alone.usage["input_tokens"]
    assert list(faults()) == []


def test_only_pages_that_a_question_is_about_are_sent(
    running: Sandbox, alice: Actor, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "MOST_ASKED", 12)
    document = ready(alice, "book.pdf", files.pdf(*TEN), purpose="document")
    run = ask(alice, document, Asking("question", "What does it say about plums and dates?"))
    assert run.output["pages"] == {"sent": [3, 5], "of": 7, "how": "relevant"}
    body = json.dumps(running.requests()[-1]["body"])
    assert "plums" in body
    assert "apples" not in body


def test_a_failure_of_one_part_ends_the_run_with_its_code(
    running: Sandbox, alice: Actor, ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "MOST_PART", 16)
    document = ready(alice, "book.pdf", files.pdf("/fault bad_key", *TEN), purpose="document")
    run = ask(alice, document, Asking("summary"))
    assert (run.state, run.error["code"]) == ("failed", "invalid_auth")


def test_a_run_can_be_stopped(running: Sandbox, alice: Actor, ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    from chat.journal import follow

    monkeypatch.setattr(flow, "MOST_PART", 16)
    pages = [f"/slow 1 {text}" for text in TEN]
    document = ready(alice, "book.pdf", files.pdf(*pages), purpose="document")
    run = documents.start(alice, document.pk, Asking("summary"))

    async def begun() -> None:
        async for batch in follow(run.stream_id):
            if any(entry.data.get("state") == "part" for entry in batch):
                return

    async_to_sync(begun)()
    stopped = Client().post(f"/api/v1/runs/{run.pk}/stop/", headers=bearer(alice))
    assert stopped.status_code == 202
    async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    assert run.state == Run.State.STOPPED
    assert all(line["outcome"] in {"stopped", "answered"} for line in run.trace["attempts"])


# ---------------------------------------------------------------- over the API
def test_the_api_keeps_a_document_and_asks_about_it(running: Sandbox, alice: Actor, bob: Actor) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    client, headers = Client(), bearer(alice)
    file = SimpleUploadedFile("lease.pdf", files.pdf(*files.PDF_PAGES))
    made = client.post("/api/v1/documents/", {"file": file}, headers=headers)
    assert made.status_code == 201, made.content
    path = f"/api/v1/documents/{made.json()['id']}/"
    body = {"task": "question", "question": "Are pets welcome?"}
    read_files()
    answer = client.post(f"{path}runs/?wait=1", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200, answer.content
    result = answer.json()
    assert (result["state"], result["task"], result["citations"]) == ("done", "question", [3])
    assert "Pets are welcome." in result["text"]
    assert client.get(f"{path}runs/{result['id']}/", headers=headers).json()["text"] == result["text"]
    assert [one["id"] for one in client.get(f"{path}runs/", headers=headers).json()["results"]] == [result["id"]]
    page = client.get(f"{path}pages/", headers=headers).json()["results"]
    assert page[2] == {"number": 3, "text": "Pets are welcome."}
    assert client.get("/api/v1/documents/", headers=headers).json()["results"][0]["page_count"] == 3
    assert client.get("/api/v1/attachments/", headers=headers).json()["results"] == []
    assert client.get(f"{path}content/", headers=headers)["Content-Disposition"] == 'attachment; filename="lease.pdf"'
    theirs = bearer(bob)
    assert client.get("/api/v1/documents/", headers=theirs).json()["results"] == []
    for each in ("", "content/", "pages/", "runs/", f"runs/{result['id']}/"):
        assert client.get(path + each, headers=theirs).status_code == 404
    foreign = client.post(f"{path}runs/", body, content_type="application/json", headers=theirs)
    assert (foreign.status_code, client.delete(path, headers=theirs).status_code) == (404, 404)
    other = client.get(f"/api/v1/documents/{uuid.uuid4()}/runs/{result['id']}/", headers=headers)
    assert other.status_code == 404
    assert client.delete(path, headers=headers).status_code == 204
    assert not Run.objects.exists()
    assert not Attachment.objects.exists()


def test_the_same_key_asks_once(running: Sandbox, alice: Actor, lease: Attachment) -> None:
    first = documents.start(alice, lease.pk, Asking("summary", idempotency_key="k"))
    assert documents.start(alice, lease.pk, Asking("summary", idempotency_key="k")).pk == first.pk
    body = {"task": "question", "question": "Why?"}
    headers = {**bearer(alice), "Idempotency-Key": "k"}
    path = f"/api/v1/documents/{lease.pk}/runs/"
    answer = Client().post(path, body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    async_to_sync(read_all)(first.stream_id)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"task": "question", "question": " "}, 422, "input_empty"),
        ({"task": "question", "question": "x" * 8001}, 413, "input_too_long"),
        ({"task": "summary", "model": "openai/none"}, 422, "model_not_found"),
        ({"task": "poem"}, 400, "invalid_request"),
    ],
)
def test_what_makes_no_sense_is_refused(
    alice: Actor, lease: Attachment, body: dict[str, str], status: int, code: str
) -> None:
    path = f"/api/v1/documents/{lease.pk}/runs/"
    answer = Client().post(path, body, content_type="application/json", headers=bearer(alice))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Run.objects.exists()


def test_a_document_must_be_read_and_hold_text(alice: Actor, ready: Ready) -> None:
    from accounts.problems import Problem

    waiting = attach(alice, "a.txt", b"Hello", purpose="document")
    with pytest.raises(Problem) as refused:
        documents.start(alice, waiting.pk, Asking("summary"))
    assert refused.value.code == "document_pending"
    scan = ready(alice, "scan.pdf", files.pdf("", ""), purpose="document")
    with pytest.raises(Problem) as refused:
        documents.start(alice, scan.pk, Asking("summary"))
    assert refused.value.code == "document_unreadable"
    with pytest.raises(Problem) as refused:
        attach(alice, "photo.png", files.picture(), purpose="document")
    assert refused.value.code == "unsupported_file"


# ---------------------------------------------------------------- which pages
PAGES = list(enumerate(TEN, start=1))


def test_telling_words_choose_pages() -> None:
    assert retrieval.choose(PAGES, "figs", 10).numbers == [4]
    assert retrieval.choose(PAGES, "about FIGS and limes", 12).numbers == [4, 7]
    assert retrieval.choose(PAGES, "anything", 1_000).how == "all"


def test_a_question_that_shares_no_word_gets_the_beginning() -> None:
    chosen = retrieval.choose(PAGES, "Wozu?", 12)
    assert (chosen.numbers, chosen.how) == ([1, 2], "beginning")


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    pages = [(1, "rent rent rent rent"), (2, "rent and the deposit"), (3, "rent again")]
    assert retrieval.choose(pages, "the rent deposit", 7).numbers == [2]


def test_scripts_without_spaces_are_searched_by_letter() -> None:
    pages = [(1, "猫が好きです" * 10), (2, "犬が好きです" * 10)]
    assert retrieval.choose(pages, "犬", 60).numbers == [2]


def test_a_page_longer_than_the_room_is_cut() -> None:
    chosen = retrieval.choose([(1, "word " * 1000), (2, "none")], "word", 30)
    assert chosen.numbers == [1]
    assert len(chosen.pages[0][1]) == 30


def test_parts_hold_every_page_once_and_no_more_than_fits() -> None:
    parts = list(flow.cut([*PAGES, (8, "x" * 400)], 24))
    assert [number for part in parts for number, _ in part][:7] == [1, 2, 3, 4, 5, 6, 7]
    assert "".join(text for part in parts for number, text in part if number == 8) == "x" * 400
    assert all(sum(of_text(text) for _, text in part) <= 24 for part in parts)


def test_only_pages_that_were_sent_can_be_cited() -> None:
    assert flow.cited("a [p. 3] b [p.12] c [p. 3] d [p. 99] e [page 4]", [3, 4, 12]) == [3, 12]
