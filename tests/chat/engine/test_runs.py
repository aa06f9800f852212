"""Starting and stopping runs: what is acknowledged, what is refused, and that a refusal changes nothing."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.policies import Actor
from accounts.problems import Problem
from catalog.models import LanguageModel
from chat import runs
from chat.models import Conversation, Message, Run, StreamEvent
from chat.protocol import MAX_INPUT_CHARS, Command

pytestmark = pytest.mark.django_db(transaction=True)


def counts() -> tuple[int, int, int]:
    return Conversation.objects.count(), Message.objects.count(), Run.objects.count()


def finish(run: Run, state: Run.State = Run.State.DONE) -> None:
    Run.objects.filter(pk=run.pk).update(state=state)


def refused(actor: Actor, command: Command) -> Problem:
    before = counts()
    with pytest.raises(Problem) as caught:
        runs.start(actor, command)
    assert counts() == before, "a refused command changes nothing"
    return caught.value


def test_a_message_is_stored_with_its_place_for_the_answer(alice: Actor) -> None:
    run = runs.start(alice, Command(text="What is a lease?"))
    assert run.state == Run.State.QUEUED
    assert run.stream_id == run.answer_id
    assert run.answer is not None
    assert run.answer.parent is not None
    assert run.answer.parent.text == "What is a lease?"
    conversation = Conversation.objects.get()
    assert (conversation.title, conversation.leaf_id) == ("What is a lease?", run.answer_id)


def test_the_next_message_follows_the_answer(alice: Actor) -> None:
    first = runs.start(alice, Command(text="One"))
    finish(first)
    second = runs.start(alice, Command(text="Two", conversation_id=first.conversation_id))
    assert second.answer is not None
    assert second.answer.parent is not None
    assert second.answer.parent.parent_id == first.answer_id


def test_a_second_message_into_a_running_answer_is_a_typed_conflict(alice: Actor) -> None:
    first = runs.start(alice, Command(text="One"))
    problem = refused(alice, Command(text="Two", conversation_id=first.conversation_id))
    assert (problem.status, problem.code) == (409, "run_active")
    assert problem.extra == {"run": str(first.pk), "stream_id": str(first.stream_id)}


def test_another_branch_may_run_at_the_same_time(alice: Actor) -> None:
    first = runs.start(alice, Command(text="One"))
    finish(first)
    runs.start(alice, Command(text="Two", conversation_id=first.conversation_id))
    assert first.answer is not None
    again = runs.start(alice, Command(answer_to=first.answer.parent_id, conversation_id=first.conversation_id))
    assert again.answer is not None
    assert again.answer.parent_id == first.answer.parent_id


def test_regenerating_an_answer_that_is_being_written_is_refused(alice: Actor) -> None:
    first = runs.start(alice, Command(text="One"))
    assert first.answer is not None
    command = Command(answer_to=first.answer.parent_id, conversation_id=first.conversation_id)
    assert refused(alice, command).code == "run_active"


def test_an_interrupted_answer_can_be_continued(alice: Actor) -> None:
    first = runs.start(alice, Command(text="One"))
    finish(first, Run.State.INTERRUPTED)
    more = runs.start(alice, Command(continues=first.answer_id, conversation_id=first.conversation_id))
    assert more.answer is not None
    assert more.answer.parent_id == first.answer_id


def test_an_edited_message_is_another_version_in_the_same_place(alice: Actor) -> None:
    first = runs.start(alice, Command(text="One"))
    finish(first)
    second = runs.start(alice, Command(text="Two", conversation_id=first.conversation_id))
    finish(second)
    for run, place in ((first, None), (second, first.answer_id)):
        assert run.answer is not None
        edits = run.answer.parent_id
        again = runs.start(alice, Command(text="Better", edits=edits, conversation_id=first.conversation_id))
        finish(again)
        assert again.answer is not None
        assert again.answer.parent is not None
        assert (again.answer.parent.parent_id, again.answer.parent.text) == (place, "Better")


@pytest.mark.parametrize("field", ["conversation_id", "parent_id", "edits", "answer_to", "continues"])
def test_what_is_foreign_and_what_is_missing_answer_the_same(alice: Actor, charlie: Actor, field: str) -> None:
    theirs = runs.start(charlie, Command(text="Private"))
    assert theirs.answer is not None
    foreign: dict[str, Any] = {
        "conversation_id": theirs.conversation_id,
        "parent_id": theirs.answer_id,
        "edits": theirs.answer.parent_id,
        "answer_to": theirs.answer.parent_id,
        "continues": theirs.answer_id,
    }
    of_foreign = refused(alice, Command(text="Hello", **{field: foreign[field]}))
    of_missing = refused(alice, Command(text="Hello", **{field: uuid.uuid4()}))
    assert of_foreign.status == 404
    assert vars(of_foreign) == vars(of_missing)


def test_a_colleague_cannot_write_into_my_conversation(alice: Actor, bob: Actor) -> None:
    mine = runs.start(alice, Command(text="Mine"))
    finish(mine)
    assert refused(bob, Command(text="Hello", conversation_id=mine.conversation_id)).status == 404


@pytest.mark.parametrize(
    ("command", "status", "code"),
    [
        (Command(text="x" * (MAX_INPUT_CHARS + 1)), 413, "input_too_long"),
        (Command(text="  \n"), 422, "input_empty"),
        (Command(text="Hello", model="openai/no-such-model"), 422, "model_not_found"),
        (Command(text="Hello", model="nonsense"), 422, "model_not_found"),
    ],
)
def test_bad_input_is_a_typed_error(alice: Actor, command: Command, status: int, code: str) -> None:
    problem = refused(alice, command)
    assert (problem.status, problem.code) == (status, code)


def test_a_chosen_model_sticks_to_the_conversation(alice: Actor) -> None:
    LanguageModel.objects.create(provider_id="openai", model_id="m", label="M", last_seen_at=timezone.now())
    run = runs.start(alice, Command(text="Hello", model="openai/m"))
    finish(run)
    again = runs.start(alice, Command(text="More", conversation_id=run.conversation_id))
    assert (run.requested_model, again.requested_model) == ("openai/m", "openai/m")


def test_the_same_idempotency_key_makes_one_run(alice: Actor) -> None:
    command = Command(text="Once", idempotency_key="k1")
    first = runs.start(alice, command)
    assert runs.start(alice, command).pk == first.pk
    assert counts() == (1, 2, 1)
    assert refused(alice, Command(text="Other", idempotency_key="k1")).code == "idempotency_conflict"


def test_people_do_not_share_idempotency_keys(alice: Actor, bob: Actor) -> None:
    command = Command(text="Once", idempotency_key="k1")
    assert runs.start(alice, command).pk != runs.start(bob, command).pk


def test_many_sends_at_once_make_one_active_run(alice: Actor) -> None:
    first = runs.start(alice, Command(text="One"))
    finish(first)

    def send(number: int) -> str:
        try:
            runs.start(alice, Command(text=f"Race {number}", conversation_id=first.conversation_id))
        except Problem as problem:
            return problem.code
        finally:
            connection.close()
        return "started"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, range(16)))
    assert sorted(set(outcomes)) == ["run_active", "started"]
    assert outcomes.count("started") == 1
    assert Run.objects.active().count() == 1


def test_stopping_a_queued_run_ends_it_at_once(alice: Actor) -> None:
    run = runs.start(alice, Command(text="One"))
    stopped = runs.stop(alice, run.stream_id)
    assert stopped.state == Run.State.STOPPED
    event = StreamEvent.objects.get(run=run)
    assert (event.event_type, event.data["reason"]) == ("done", "user_stop")
    assert runs.stop(alice, run.stream_id).state == Run.State.STOPPED, "stop is idempotent"
    assert StreamEvent.objects.count() == 1


def test_nobody_stops_what_is_not_theirs(alice: Actor, bob: Actor, charlie: Actor) -> None:
    run = runs.start(alice, Command(text="One"))
    for outsider in (bob, charlie):
        with pytest.raises(Problem) as caught:
            runs.stop(outsider, run.stream_id)
        assert caught.value.status == 404
    assert Run.objects.get(pk=run.pk).stop_requested_at is None
