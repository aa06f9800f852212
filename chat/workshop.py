"""Has files read: takes what waits under a lease, runs the extraction, stores text and state. Several processes may."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts import sessions, unfinished
from chat import leftovers, owner, retention
from chat.estimates import MEDIA_TOKENS, of_text
from chat.extracting import Abandoned, Extracted, extract
from chat.extraction.limits import Limits
from chat.extraction.refusals import SENTENCES, Refused
from chat.models import Attachment, AttachmentPage
from chat.protocol import clean

logger = logging.getLogger(__name__)

HANDS = 2
MOST_TRIES = 2
LEASE = timedelta(seconds=30)
TOLD_SECONDS = 1.0
POLL_SECONDS = 1.0
TIDY_SECONDS = 3600.0
LIMITS = Limits()
State = Attachment.State


class Workshop:
    """One process's readers of files: a thread that takes, and `HANDS` that read."""

    def __init__(self) -> None:
        self.owner = owner.new()
        self.woken = threading.Event()
        self.closing = threading.Event()
        self._room = threading.Semaphore(HANDS)
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="workshop")
        self._thread = threading.Thread(target=self._take, name="workshop", daemon=True)
        self._thread.start()

    def _take(self) -> None:
        tidied = time.monotonic()
        while not self.closing.is_set():
            self._room.acquire()
            found = None
            try:
                found = None if self.closing.is_set() else claim(self.owner)
                if time.monotonic() - tidied > TIDY_SECONDS:
                    tidied = time.monotonic()
                    leftovers.purge()
                    retention.purge(most=retention.ROUND_BATCHES)
                    unfinished.purge()
                    sessions.purge()
            except (OperationalError, InterfaceError) as error:
                logger.warning("the workshop waits for the database: %s", type(error).__name__)
            finally:
                close_old_connections()
            if found is not None:
                self._hands.submit(self._read, found)
                continue
            self._room.release()
            self.woken.wait(POLL_SECONDS)
            self.woken.clear()

    def _read(self, found: Attachment) -> None:
        try:
            read(found, self.owner, self.closing)
        except (OperationalError, InterfaceError) as error:
            logger.warning("attachment %s is left to be read again: %s", found.pk, type(error).__name__)
        finally:
            close_old_connections()
            self._room.release()
            self.woken.set()

    def close(self) -> None:
        """Give back what is being read; another process, or this one later, begins it anew."""
        self.closing.set()
        self.woken.set()
        self._thread.join(10)
        self._hands.shutdown(wait=True)


# ---------------------------------------------------------------- one file
def claim(me: str) -> Attachment | None:
    """Take the oldest file that waits, or whose reader is lost; one that was lost twice has failed."""
    lost = Q(state=State.PROCESSING) & (Q(lease_until__lt=Now()) | Q(lease_owner__in=_dead(me)))
    waiting = Attachment.objects.filter(Q(state=State.UPLOADED) | lost).order_by("created_at")
    for pk, tries in waiting.values_list("pk", "tries")[:HANDS]:
        mine = Attachment.objects.filter(Q(state=State.UPLOADED) | lost, pk=pk, tries=tries)
        if tries >= MOST_TRIES:
            mine.update(state=State.FAILED, error="lost", error_detail=SENTENCES["lost"], lease_until=None)
        elif mine.update(
            state=State.PROCESSING, lease_owner=me, lease_until=Now() + LEASE, tries=F("tries") + 1, pages_read=0
        ):
            return Attachment.objects.get(pk=pk)
    return None


def _dead(me: str) -> list[str]:
    reading = Attachment.objects.filter(state=State.PROCESSING).order_by().values_list("lease_owner", flat=True)
    return [each for each in reading.distinct() if owner.is_dead(each, me=me)]


def read(attachment: Attachment, me: str, closing: threading.Event, limits: Limits = LIMITS) -> None:
    """Read one claimed file to its end: ready or failed, or given back when `closing` is set."""
    mine = Attachment.objects.filter(pk=attachment.pk, state=State.PROCESSING, lease_owner=me)
    told = timezone.now()

    def tick(found: Extracted) -> bool:
        nonlocal told
        if timezone.now() - told > timedelta(seconds=TOLD_SECONDS):
            told = timezone.now()
            seen = {"pages_read": len(found.pages), "page_count": found.total, "lease_until": Now() + LEASE}
            if not mine.update(**seen):
                return False
        return not closing.is_set()

    try:
        with attachment.file.open("rb") as source:
            found = extract(attachment.kind, source.file, limits, tick)
    except Refused as refused:
        fields = {"error": refused.code, "error_detail": refused.sentence}
        mine.update(state=State.FAILED, lease_until=None, page_count=None, **fields)
    except FileNotFoundError:
        mine.update(state=State.FAILED, lease_until=None, error="lost", error_detail=SENTENCES["lost"])
    except Abandoned:
        mine.update(state=State.UPLOADED, lease_owner="", lease_until=None, tries=F("tries") - 1)
    else:
        _store(attachment.pk, me, found)


def _store(pk: UUID, me: str, found: Extracted) -> None:
    """The text and the state in one transaction, unless somebody else has the file by now, or nobody any more."""
    with transaction.atomic():
        mine = Attachment.objects.select_for_update().filter(pk=pk, state=State.PROCESSING, lease_owner=me).first()
        if mine is None:
            return
        texts = [clean(text) for text in found.pages]
        mine.pages.all().delete()
        rows = (AttachmentPage(attachment=mine, number=number, text=text) for number, text in enumerate(texts, start=1))
        AttachmentPage.objects.bulk_create(rows, batch_size=100)
        mine.state, mine.lease_until = State.READY, None
        mine.page_count = mine.pages_read = len(texts)
        mine.token_estimate = sum(map(of_text, texts))
        if found.media_type:
            _redraw(mine, found)
        mine.save()


def _redraw(mine: Attachment, found: Extracted) -> None:
    """The picture without what it said about its maker takes the place of the one that was sent."""
    before, storage = mine.file.name, mine.file.storage
    mine.file.save("picture", ContentFile(found.picture), save=False)
    mine.preview.save("preview", ContentFile(found.preview), save=False)
    mine.media_type, mine.size, mine.token_estimate, mine.page_count = (
        found.media_type,
        len(found.picture),
        MEDIA_TOKENS,
        None,
    )
    transaction.on_commit(lambda: storage.delete(str(before)))


# ---------------------------------------------------------------- of this process
_lock = threading.Lock()
_workshop: Workshop | None = None


def open_in_background() -> None:
    """Start this process's workshop once."""
    global _workshop
    with _lock:
        _workshop = _workshop or Workshop()


def wake() -> None:
    """Say that a file waits, once it does. Without a workshop here, another process finds it within a second."""
    if _workshop is not None:
        transaction.on_commit(_workshop.woken.set)


def close() -> None:
    global _workshop
    with _lock:
        if _workshop is not None:
            _workshop.close()
            _workshop = None
